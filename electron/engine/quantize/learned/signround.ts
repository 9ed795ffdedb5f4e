/**
 * @file SignRound (AutoRound, Cheng et al. 2023, algorithm 1): offsets of the codes and factors of the scales move by the sign of their
 * gradients, by a rate that falls linearly to nothing; all moves together reach from one edge of a cell to the other.
 */
import { windowsOfStep } from '../../train/window.ts'
import type { BlockProblem } from './learner.ts'

export interface SignRoundOptions {
  readonly steps: number
  /** Windows of a step. */
  readonly batch: number
  /** Factor of the rate of scales: theirs are shares of their size, not of a cell. */
  readonly scaleRate: number
}

/** Steps of the paper at 4 bits; each reads two windows. */
export const signRoundOptions: SignRoundOptions = { steps: 200, batch: 2, scaleRate: 0.1 }

/** values −= rate · sign(gradient) */
export function signStep(values: Float32Array, gradient: Float32Array, rate: number): void {
  for (let at = 0; at < values.length; at++) values[at] -= rate * Math.sign(gradient[at])
}

export async function signRound({ codes, scales, windows, gradients, seed }: BlockProblem, { steps, batch, scaleRate }: SignRoundOptions = signRoundOptions): Promise<void> {
  for (let step = 0; step < steps; step++) {
    await gradients(windowsOfStep(step, batch, windows, seed))
    const rate = (1 - step / steps) * 2 / steps
    for (const { values, gradient } of codes) signStep(values, gradient, rate)
    for (const { values, gradient } of scales) signStep(values, gradient, rate * scaleRate)
  }
}
