/**
 * @file A decoder in an ONNX folder (genai_config.json beside the graph), opened in stock ONNX Runtime with its own cache of keys
 * and values: what an export is verified and evaluated by. Any folder of this convention opens, whoever made it.
 */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { NativeSession, SessionOptions, Tensor } from '../../../kernels/kernels.ts'
import { runtime } from '../../../kernels/runtime.ts'
import { AppError } from '../../contract/errors.ts'
import { malformed } from '../io/problems.ts'
import { readGenai, type GenaiModel } from './onnx-genai.ts'

/** Keys and values of the positions seen so far, by input name. */
export interface OnnxCache {
  readonly length: number
  readonly values: Readonly<Record<string, Tensor>>
}

export interface OnnxDecoder {
  readonly path: string
  readonly config: GenaiModel
  readonly vocabulary: number
  /** What the model was made for; models with computed positions take more. */
  readonly contextLength: number
  /** Bytes of all files of the folder. */
  readonly sizeBytes: number
  /** Logits [tokens, vocabulary] of a text from its beginning. */
  logits(tokens: Int32Array, signal?: AbortSignal): Promise<Float32Array>
  /** The same for tokens that follow those in the cache. */
  step(tokens: Int32Array, cache: OnnxCache | null, signal?: AbortSignal): Promise<{ readonly logits: Float32Array; readonly cache: OnnxCache }>
  close(): void
}

/** Opens a folder, or the model file in one. */
export async function openOnnxDecoder(source: string, options: SessionOptions = {}): Promise<OnnxDecoder> {
  const folder = (await stat(source).catch(() => null))?.isFile() === true ? path.dirname(source) : source
  const config = await readGenai(folder)
  const session = await runtime().createSession(path.join(folder, config.decoder.filename), options)
  try {
    checkSession(folder, config, session)
  } catch (cause) {
    session.dispose()
    throw cause
  }
  const step: OnnxDecoder['step'] = (tokens, cache, signal) => run(session, config, tokens, cache, signal)
  return {
    path: folder,
    config,
    vocabulary: config.vocab_size,
    contextLength: config.context_length,
    sizeBytes: await folderBytes(folder),
    step,
    logits: async (tokens, signal) => (await step(tokens, null, signal)).logits,
    close: () => session.dispose(),
  }
}

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map((name) => stat(path.join(folder, name))))
  return sizes.reduce((sum, info) => sum + (info.isFile() ? info.size : 0), 0)
}

/** Names of the cache's inputs and outputs, in pairs. */
function cacheNames({ decoder }: GenaiModel): { past: string; present: string }[] {
  const { inputs, outputs, num_hidden_layers: blocks } = decoder
  const named = (pattern: string, block: number): string => pattern.replace('%d', String(block))
  return Array.from({ length: blocks }, (_, block) => [
    { past: named(inputs.past_key_names, block), present: named(outputs.present_key_names, block) },
    { past: named(inputs.past_value_names, block), present: named(outputs.present_value_names, block) },
  ]).flat()
}

function checkSession(folder: string, config: GenaiModel, session: NativeSession): void {
  const { inputs, outputs } = config.decoder
  const names = cacheNames(config)
  const missing = [
    ...[inputs.input_ids, inputs.attention_mask, ...names.map(({ past }) => past)].filter((name) => !session.inputNames.includes(name)),
    ...[outputs.logits, ...names.map(({ present }) => present)].filter((name) => !session.outputNames.includes(name)),
  ]
  if (missing.length > 0) throw malformed(path.join(folder, config.decoder.filename), `no input or output "${missing[0]}"`, 'what genai_config.json names')
}

async function run(session: NativeSession, config: GenaiModel, tokens: Int32Array, cache: OnnxCache | null, signal: AbortSignal | undefined): Promise<{ logits: Float32Array; cache: OnnxCache }> {
  const { decoder, vocab_size: vocabulary } = config
  const past = cache?.length ?? 0
  const total = past + tokens.length
  const names = cacheNames(config)
  const empty: Tensor = { type: 'float32', dims: [1, decoder.num_key_value_heads, 0, decoder.head_size], data: new Float32Array() }
  const row = (values: BigInt64Array): Tensor => ({ type: 'int64', dims: [1, values.length], data: values })
  const feeds: Record<string, Tensor> = {
    [decoder.inputs.input_ids]: row(BigInt64Array.from(tokens, BigInt)),
    [decoder.inputs.attention_mask]: row(new BigInt64Array(total).fill(1n)),
    ...Object.fromEntries(names.map((name) => [name.past, cache?.values[name.past] ?? empty])),
  }
  const ids = decoder.inputs.position_ids
  if (ids !== undefined && session.inputNames.includes(ids)) feeds[ids] = row(BigInt64Array.from(tokens, (_, at) => BigInt(past + at)))
  const result = await session.run(feeds, Object.fromEntries([decoder.outputs.logits, ...names.map(({ present }) => present)].map((name) => [name, null])), signal)
  const logits = result[decoder.outputs.logits]
  if (!(logits?.data instanceof Float32Array) || logits.data.length !== tokens.length * vocabulary) {
    throw new AppError('runtime-failed', `logits: found ${logits?.type ?? 'nothing'} [${logits?.dims.join(', ') ?? ''}], expected float32 [1, ${tokens.length}, ${vocabulary}]`)
  }
  return { logits: logits.data, cache: { length: total, values: Object.fromEntries(names.map(({ past: input, present }) => [input, result[present]])) } }
}
