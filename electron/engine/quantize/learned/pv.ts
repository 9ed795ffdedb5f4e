/**
 * @file PV-Tuning's two kinds of steps in turn (Malinovskii et al. 2024, algorithm 1): P moves the scales with the codes fixed (Adam); V
 * re-encodes with the scales fixed only the few codes whose gradient is largest, each to its neighbour downhill. Steps are taken over all
 * windows and only where the error falls, else undone and tried with fewer codes; no buffer of weights is kept.
 */
import { kernels } from '../../../../kernels/kernels.ts'
import type { CodeTrainable } from '../../train/trainables/codes.ts'
import type { BlockProblem } from './learner.ts'

export interface PvOptions {
  readonly rounds: number
  /** P steps of a round, and their rate in shares of a scale. */
  readonly scaleSteps: number
  readonly scaleRate: number
  /** Largest share of the codes that a V step may change. */
  readonly share: number
}

export const pvOptions: PvOptions = { rounds: 12, scaleSteps: 4, scaleRate: 3e-3, share: 0.01 }

/** A share below which a V step that made things worse is not tried again. */
const SHARE_LEAST = 1e-4

/** The magnitude that `share` of all gradients of codes reach or exceed. */
export function thresholdOf(codes: readonly Pick<CodeTrainable, 'gradient'>[], share: number): number {
  const total = codes.reduce((sum, { gradient }) => sum + gradient.length, 0)
  const magnitudes = new Float32Array(total)
  let at = 0
  for (const { gradient } of codes) for (const value of gradient) magnitudes[at++] = Math.abs(value)
  magnitudes.sort()
  return magnitudes[Math.max(0, total - Math.max(1, Math.floor(total * share)))]
}

/** Moves the codes whose gradients reach the threshold one step downhill, to the middle of the cell. */
export function reencode({ values, gradient }: Pick<CodeTrainable, 'values' | 'gradient'>, threshold: number): void {
  for (let at = 0; at < values.length; at++) if (gradient[at] !== 0 && Math.abs(gradient[at]) >= threshold) values[at] = Math.round(values[at]) - Math.sign(gradient[at])
}

const copies = (all: readonly { readonly values: Float32Array }[]): Float32Array[] => all.map(({ values }) => values.slice())
const restore = (all: readonly { readonly values: Float32Array }[], saved: readonly Float32Array[]): void => { for (const [at, { values }] of all.entries()) values.set(saved[at]) }

export async function pvTune({ codes, scales, windows, loss, gradients }: BlockProblem, { rounds, scaleSteps, scaleRate, share: most }: PvOptions = pvOptions): Promise<void> {
  const all = Array.from({ length: windows }, (_, at) => at)
  const moments = scales.map(({ values }) => ({ m: new Float32Array(values.length), v: new Float32Array(values.length) }))
  let share = most
  let best = await loss(all)
  let updates = 0
  for (let round = 0; round < rounds && share >= SHARE_LEAST; round++) {
    const scalesBefore = copies(scales)
    for (let step = 0; step < scaleSteps; step++) {
      await gradients(all)
      updates++
      for (const [at, { values, gradient }] of scales.entries()) await kernels().adamStep(values, gradient, moments[at].m, moments[at].v, { lr: scaleRate, beta1: 0.9, beta2: 0.95, epsilon: 1e-12, weightDecay: 0, step: updates })
    }
    const moved = await gradients(all)
    if (moved < best) best = moved
    else {
      restore(scales, scalesBefore)
      await gradients(all)
    }
    const codesBefore = copies(codes)
    const threshold = thresholdOf(codes, share)
    for (const code of codes) reencode(code, threshold)
    const after = await loss(all)
    if (after < best) best = after
    else {
      restore(codes, codesBefore)
      share /= 4
    }
  }
}
