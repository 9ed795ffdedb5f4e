/** @file What a learned rounding sees of a block: numbers to move, and the error of the block's output over any of the windows. */
import type { CodeTrainable } from '../../train/trainables/codes.ts'
import type { ScaleTrainable } from '../../train/trainables/scales.ts'

export interface BlockProblem {
  readonly codes: readonly CodeTrainable[]
  readonly scales: readonly ScaleTrainable[]
  /** Windows that can be learned from. */
  readonly windows: number
  /** Squared error of the block's output over the windows of these numbers, divided by the target's squares. */
  readonly loss: (numbers: readonly number[]) => Promise<number>
  /** The same, and its gradients in place of those of the call before. */
  readonly gradients: (numbers: readonly number[]) => Promise<number>
  readonly seed: number
}

/** Moves codes and scales so that the error falls. */
export type LearnedRounding = (problem: BlockProblem) => Promise<void>
