/** @file What a correction uses of a layer's inputs: the layer Hessian per token, in float32, and its damping. Shared by all that fit to one tap. */
import { setImmediate } from 'node:timers/promises'
import { importanceOf, type Statistics } from '../calibrate/statistics.ts'

export interface CorrectionInputs {
  readonly cols: number
  /** E[x_j²], [cols]. */
  readonly diagonal: Float32Array
  /** Added to the diagonal: input directions that the samples never show count a little too. */
  readonly damping: number
  /** XᵀX per token, [cols, cols]. */
  hessian(): Promise<Float32Array>
}

/** Damping as a share of the mean diagonal, as in rounding with error feedback. */
const DAMPING = 0.01
/** Values converted between two turns of the event loop. */
const CHUNK_VALUES = 1 << 21

async function perToken({ hessian, tokens }: Statistics): Promise<Float32Array> {
  const out = new Float32Array(hessian.length)
  const scale = 1 / Math.max(tokens, 1)
  for (let start = 0; start < out.length; start += CHUNK_VALUES) {
    const end = Math.min(out.length, start + CHUNK_VALUES)
    for (let at = start; at < end; at++) out[at] = hessian[at] * scale
    if (end < out.length) await setImmediate()
  }
  return out
}

/** Wraps statistics for corrections. */
export function correctionInputs(statistics: Statistics): CorrectionInputs {
  const diagonal = importanceOf(statistics)
  const mean = diagonal.reduce((sum, value) => sum + value, 0) / Math.max(diagonal.length, 1)
  let hessian: Promise<Float32Array> | undefined
  return { cols: statistics.cols, diagonal, damping: DAMPING * mean, hessian: () => (hessian ??= perToken(statistics)) }
}
