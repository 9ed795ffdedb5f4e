/** @file What is trained on: windows of tokens, and batches of them side by side, padded at the end (causal blocks never look there). */
import { createRandom } from '../evaluate/sampling.ts'

export interface TrainingWindow {
  readonly tokens: Int32Array
  /** 1 where a token is to be learned from those before it; all but the first where absent. */
  readonly mask?: Uint8Array
  /** Whether the original wrote it: what it drew says nothing that its predictions do not, and as labels would be noise. */
  readonly isWritten?: boolean
}

/** No label: nothing is learned at this position. */
export const UNSCORED = -1

export interface Batch {
  /** Windows of the batch. */
  readonly count: number
  /** Positions of every window, padding included. */
  readonly time: number
  /** [count · time]; padding is token 0. */
  readonly tokens: Int32Array
  /** Token that follows a position, where it is to be learned; UNSCORED elsewhere and in written windows. */
  readonly labels: Int32Array
  /** 1 where the predictions are compared with a teacher's: where there is a label or would be in text that was not written, and at the end of windows without a mask. */
  readonly judged: Uint8Array
  /** 1 where there is a token. */
  readonly real: Uint8Array
}

/** Groups of `size`, the last of what is left. */
export function inGroups<T>(values: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, at) => values.slice(at * size, (at + 1) * size))
}

/** Windows side by side. */
export function batchOf(windows: readonly TrainingWindow[]): Batch {
  const time = Math.max(...windows.map(({ tokens }) => tokens.length))
  const size = windows.length * time
  const batch = { count: windows.length, time, tokens: new Int32Array(size), labels: new Int32Array(size).fill(UNSCORED), judged: new Uint8Array(size), real: new Uint8Array(size) }
  for (const [at, { tokens, mask, isWritten = false }] of windows.entries()) {
    const first = at * time
    batch.tokens.set(tokens, first)
    batch.real.fill(1, first, first + tokens.length)
    for (let position = 0; position + 1 < tokens.length; position++) {
      if (mask !== undefined && mask[position + 1] === 0) continue
      if (!isWritten) batch.labels[first + position] = tokens[position + 1]
      batch.judged[first + position] = 1
    }
    if (mask === undefined) batch.judged[first + tokens.length - 1] = 1
  }
  return batch
}

/** The order of windows in an epoch: a permutation that depends on seed and epoch alone (Fisher–Yates). */
export function epochOrder(count: number, seed: number, epoch: number): readonly number[] {
  const random = createRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(epoch + 1, 0x85ebca6b))
  const order = Array.from({ length: count }, (_, at) => at)
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const moved = order[last]
    order[last] = order[other]
    order[other] = moved
  }
  return order
}

/** The windows of a step, by number: batches go through all windows before one comes again. */
export function windowsOfStep(step: number, batch: number, count: number, seed: number): readonly number[] {
  return Array.from({ length: batch }, (_, at) => {
    const place = step * batch + at
    return epochOrder(count, seed, Math.floor(place / count))[place % count]
  })
}
