/** @file Continues a prompt token by token with a key/value cache, greedily or by seeded sampling. */
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import { chooseToken, createRandom, type SamplingOptions } from './sampling.ts'

export interface Generator {
  readonly vocabulary: number
  readonly contextLength: number
  /** Logits after `tokens`, which follow those given before; `length` is the whole context's when everything is generated. */
  next(tokens: Int32Array, length: number): Promise<Float32Array>
  dispose(): void
}

export interface GenerateOptions extends SamplingOptions {
  readonly tokens: number
  readonly seed: number
  /** Tokens after which it stops. */
  readonly stop?: readonly number[]
}

/** Generates up to `tokens` ids, calling `onToken` with each as it is chosen; a stop token ends it and is not returned. */
export async function generate(generator: Generator, prompt: Int32Array, options: GenerateOptions, onToken: (id: number) => void, { signal }: Pick<Context, 'signal'>): Promise<Int32Array> {
  if (prompt.length === 0) throw new AppError('bad-data', 'prompt: found no tokens, expected at least one', { hint: 'Give a text to continue.' })
  if (prompt.length >= generator.contextLength) {
    throw new AppError('bad-data', `prompt: found ${prompt.length} tokens, expected fewer than ${generator.contextLength}, the model's context`, { hint: 'Shorten the prompt.' })
  }
  const random = createRandom(options.seed)
  const length = Math.min(generator.contextLength, prompt.length + options.tokens)
  const made: number[] = []
  let pending = prompt
  while (prompt.length + made.length < length) {
    signal.throwIfAborted()
    const token = chooseToken(await generator.next(pending, length), options, random)
    if (options.stop?.includes(token) === true) break
    made.push(token)
    onToken(token)
    pending = Int32Array.of(token)
  }
  return Int32Array.from(made)
}
