/** @file AdamW over the trainables of a run (Loshchilov and Hutter 2019): both moments in float32, one learning rate a set, the gradient clipped by its norm over all of them. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { TrainableSet } from '../../../contract/training.ts'
import type { Trainable } from '../trainables/trainable.ts'

export interface OptimizerOptions {
  /** Peak learning rate of each set. */
  readonly rates: Readonly<Record<TrainableSet, number>>
  readonly weightDecay: number
  readonly beta1: number
  readonly beta2: number
  readonly epsilon: number
}

export interface Moments {
  readonly m: Float32Array
  readonly v: Float32Array
}

/** Zero moments for each trainable, in order. */
export function emptyMoments(trainables: readonly Trainable[]): readonly Moments[] {
  return trainables.map(({ values }) => ({ m: new Float32Array(values.length), v: new Float32Array(values.length) }))
}

/** Euclidean norm over all gradients, in double. NaN or infinite where one of them is. */
export function gradientNorm(trainables: readonly Trainable[]): number {
  let squares = 0
  for (const { gradient } of trainables) for (let at = 0; at < gradient.length; at++) squares += gradient[at] * gradient[at]
  return Math.sqrt(squares)
}

/** Scales all gradients so that their norm is at most `most`. */
export function clipGradients(trainables: readonly Trainable[], norm: number, most: number): void {
  if (norm <= most) return
  const scale = most / norm
  for (const { gradient } of trainables) for (let at = 0; at < gradient.length; at++) gradient[at] *= scale
}

/** One update, the `update`-th from 1, at `factor` of the peak rates. Changes values and moments in place. */
export async function updateAll(trainables: readonly Trainable[], moments: readonly Moments[], update: number, factor: number, options: OptimizerOptions): Promise<void> {
  const { rates, weightDecay, beta1, beta2, epsilon } = options
  for (const [at, { set, values, gradient, decays }] of trainables.entries()) {
    await kernels().adamStep(values, gradient, moments[at].m, moments[at].v, { lr: rates[set] * factor, beta1, beta2, epsilon, weightDecay: decays ? weightDecay : 0, step: update })
  }
}
