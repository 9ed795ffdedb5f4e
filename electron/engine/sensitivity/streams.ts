/**
 * @file Measured divergence: how far the logits move when one layer is replaced. A perturbed stream of hidden states leaves the
 * clean one at the replaced layer's block and goes through the later, unchanged blocks beside it, so that each block's weights
 * are read once for all streams. The slow truth that the fast metrics are held against.
 */
import { kernels } from '../../../kernels/kernels.ts'
import type { BlockRunner, BlockWeights, Park } from '../calibrate/runner.ts'

export interface Divergence {
  /** Mean KL(reference ‖ replaced) per token, and its standard error over tokens. */
  readonly value: number
  readonly stderr: number
}

/** One replaced layer's hidden states, behind the block it has reached. */
export interface Stream {
  readonly layer: string
  readonly option: string
  readonly hidden: Park
}

/** Passes every stream through `block`. */
export async function advanceStreams(streams: readonly Stream[], windows: number, runner: BlockRunner, block: number, weights: BlockWeights, signal: AbortSignal): Promise<void> {
  for (const { hidden } of streams) {
    for (let window = 0; window < windows; window++) {
      signal.throwIfAborted()
      await hidden.set(window, await runner.run(block, await hidden.get(window), weights))
    }
  }
}

/** Mean and standard error of `values`. */
export function meanOf(values: Float64Array): Divergence {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(values.length - 1, 1)
  return { value: Math.max(mean, 0), stderr: Math.sqrt(variance / values.length) }
}

/** Logits of `hidden` [tokens, hidden] under a head; the checkpoint's own where none is given. Written into `place`, if they fit it. */
export async function logitsOf(runner: BlockRunner, hidden: Float32Array, head?: Float32Array, place?: Float32Array): Promise<Float32Array> {
  return runner.logits(await runner.finish(hidden), head, place)
}

/** KL(reference ‖ logits) of every row, [rows]. */
export async function divergences(reference: Float32Array, logits: Float32Array, vocabulary: number): Promise<Float64Array> {
  const rows = logits.length / vocabulary
  const kl = new Float64Array(rows)
  await kernels().score(logits, reference, new Int32Array(rows), rows, vocabulary, new Float64Array(rows), kl, new Uint8Array(rows))
  return kl
}

/**
 * Mean divergence of each stream from the clean hidden states, at the logits. `heads` makes the head of streams whose head
 * itself was replaced, a new array every time: several at once would be as many tables.
 */
export async function scoreStreams(streams: readonly Stream[], clean: Park, windows: number, runner: BlockRunner, heads: ReadonlyMap<Stream, () => Promise<Float32Array>>, signal: AbortSignal): Promise<Divergence[]> {
  const all: Float64Array[][] = streams.map(() => [])
  let [reference, logits]: (Float32Array | undefined)[] = []
  for (let window = 0; window < windows; window++) {
    reference = await logitsOf(runner, await clean.get(window), undefined, reference)
    for (const [index, stream] of streams.entries()) {
      signal.throwIfAborted()
      const head = await heads.get(stream)?.()
      logits = await logitsOf(runner, await stream.hidden.get(window), head, logits)
      if (head) await kernels().release([head])
      all[index]?.push(await divergences(reference, logits, runner.vocabulary))
    }
  }
  return all.map((parts) => {
    const values = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0))
    let offset = 0
    for (const part of parts) {
      values.set(part, offset)
      offset += part.length
    }
    return meanOf(values)
  })
}
