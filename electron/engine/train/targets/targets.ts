/** @file What is kept of the teacher for each window. Targets are found by the window's token ids, whatever its place in a batch. */
import { createHash } from 'node:crypto'
import type { TrainingWindow } from '../window.ts'

/** The teacher's most likely tokens at each position, [tokens, k]. */
export interface TopTargets {
  readonly k: number
  readonly tokens: Int32Array
  /** Log-probabilities of them, likeliest first. */
  readonly log: Float32Array
  /** Log of the probability that all others have together, [tokens]. */
  readonly rest: Float32Array
}

export interface Targets {
  /** Output of one of the teacher's blocks, [tokens, hidden]; of the last block alone where no others are kept. */
  state(window: TrainingWindow, block: number): Promise<Float32Array>
  top(window: TrainingWindow): Promise<TopTargets>
}

/** Names a window's targets: the hash of its token ids. */
export function windowKey({ tokens }: TrainingWindow): string {
  return createHash('sha256').update(new Uint8Array(tokens.buffer, tokens.byteOffset, tokens.byteLength)).digest('hex')
}
