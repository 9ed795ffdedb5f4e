/** @file A rounder gives each weight its code: dense weights [out, in] → the bytes of a codec. */
import { kernels, type Shape } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'
import { importanceOf, type Statistics } from '../../calibrate/statistics.ts'

/** What a rounder may use of the layer's inputs; the inverse factor is computed once for all layers and options that share them. */
export interface RoundingStatistics {
  readonly statistics: Statistics
  readonly importance: Float32Array
  /** Upper Cholesky factor of (H + λI)⁻¹, [cols, cols]. */
  factor(): Promise<Float32Array>
  /** Gives the memory of H and of the factor back: nothing may use them any more. */
  release(): Promise<void>
}

/** Dampening of H, as a share of its mean diagonal (GPTQ, §"percdamp"). */
export const damping = 0.01

/** Wraps statistics for rounding. */
export function roundingStatistics(statistics: Statistics): RoundingStatistics {
  let factor: Promise<Float32Array> | undefined
  async function compute(): Promise<Float32Array> {
    const out = new Float32Array(statistics.cols * statistics.cols)
    await kernels().inverseFactor(statistics.hessian, statistics.cols, damping, out)
    return out
  }
  return {
    statistics,
    importance: importanceOf(statistics),
    factor: () => (factor ??= compute()),
    release: async () => kernels().release([statistics.hessian, ...(factor ? [await factor] : [])]),
  }
}

/** `inputs` is null where nothing is known of the layer's inputs (a table that is only looked up). */
export type Rounder = (codec: CodecName, shape: Shape, weights: Float32Array, inputs: RoundingStatistics | null) => Promise<Uint8Array<ArrayBuffer>>
