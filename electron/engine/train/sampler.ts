/**
 * @file What the model writes before and after training: beginnings of held-out examples, continued greedily over the packed weights.
 * No cache of keys: a few dozen tokens do not repay one.
 */
import type { Context } from '../../contract/events.ts'
import type { Adapter } from '../correct/adapter.ts'
import { generate, type Generator } from '../evaluate/generate.ts'
import type { Tokenizer } from '../io/tokenizer.ts'
import { createParking } from '../session/parking.ts'
import { withBlobs, type Base } from './base/base.ts'
import { openWeightPark } from './base/weight-park.ts'
import { openPackedProgram, type PackedProgram } from './program/packed-program.ts'
import type { TrainedWeights } from './trained.ts'
import { openState } from './trainables/state.ts'
import type { TrainingWindow } from './window.ts'

export interface SamplePrompt {
  readonly prompt: Int32Array
  /** What the data says comes next; empty for plain texts. */
  readonly expected: Int32Array
}

/** Tokens of a plain text that are given to be continued. */
const TEXT_PROMPT = 16

/** The first example of each window: what stands before its first answer, and the answer. */
export function promptsOf(windows: readonly TrainingWindow[], most: number): SamplePrompt[] {
  return windows.slice(0, most).map(({ tokens, mask }) => {
    const first = mask?.indexOf(1) ?? 1
    if (first <= 1) return { prompt: tokens.slice(0, Math.min(TEXT_PROMPT, Math.max(1, tokens.length - 1))), expected: new Int32Array() }
    const end = mask?.indexOf(0, first) ?? -1
    return { prompt: tokens.slice(0, first), expected: tokens.slice(first, end === -1 ? tokens.length : end) }
  })
}

function generatorOf(program: PackedProgram): Generator {
  const { base: { model: { spec } } } = program.state
  let all = new Int32Array()
  return {
    vocabulary: spec.vocabulary,
    contextLength: spec.contextLength,
    async next(tokens) {
      all = Int32Array.of(...all, ...tokens)
      const batch = { count: 1, time: all.length, tokens: all }
      let hidden = await program.embed(batch)
      for (let block = 0; block < spec.blocks; block++) hidden = await program.forward(block, hidden, batch)
      return program.logits(hidden.slice((all.length - 1) * spec.hidden))
    },
    dispose: () => undefined,
  }
}

export interface SampleOptions {
  readonly tokens: number
  /** Most bytes of the blocks' weights in memory; the rest goes to `folder`. */
  readonly memoryBytes?: number | undefined
  readonly folder: string
  readonly threads?: number | undefined
}

/** The continuations of all prompts as text. */
export async function writeSamples(base: Base, weights: { readonly adapter: Adapter } & Partial<TrainedWeights>, tokenizer: Pick<Tokenizer, 'decode' | 'eos'>, prompts: readonly SamplePrompt[], { tokens, memoryBytes, folder, threads }: SampleOptions, { signal }: Pick<Context, 'signal'>): Promise<string[]> {
  if (prompts.length === 0) return []
  const park = openWeightPark({ holds: createParking({ slotBytes: 0, memoryBytes }).holds, folder })
  let program: PackedProgram | undefined
  const written: string[] = []
  try {
    const state = await openState(withBlobs(base, weights.blobs ?? new Map()), { adapter: weights.adapter, sets: [], weights: park, ...(weights.norms && { norms: weights.norms }) }, signal)
    program = openPackedProgram(state, { threads, signal })
    for (const { prompt } of prompts) {
      const made = await generate(generatorOf(program), prompt, { tokens, temperature: 0, topP: 1, seed: 0, stop: tokenizer.eos === null ? [] : [tokenizer.eos] }, () => undefined, { signal })
      written.push(tokenizer.decode(made))
    }
  } finally {
    program?.dispose()
    await park.dispose()
  }
  return written
}
