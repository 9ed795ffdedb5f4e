/** @file A local metric: what one layer's loss under one option is, from its weights, the statistics of its inputs, and what the loss's derivatives said of the layer. */
import type { Shape } from '../../../../kernels/kernels.ts'
import type { Statistics } from '../../calibrate/statistics.ts'
import type { OptionLoss } from '../differentiable.ts'
import type { OutputWeights } from '../output-weights.ts'

/** What a pass of derivatives before the measurement found out about a layer. */
export interface LayerScale {
  /** Trace or largest eigenvalue of the layer's loss Hessian. */
  readonly curvature?: OptionLoss
  readonly outputs?: OutputWeights
}

export interface LayerError {
  /** W, [out, in]. */
  readonly weights: Float32Array
  /** Ŵ as the option stores it, [out, in]. */
  readonly quantized: Float32Array
  readonly shape: Shape
  /** Of the layer's inputs; null for a table that is only looked up. */
  readonly inputs: Statistics | null
  /** How often each row of a looked-up table is used per token, [out]; null for a matrix product. */
  readonly rowUse: Float64Array | null
  /** Null for metrics that take no derivatives. */
  readonly scale: LayerScale | null
}

/** Loss in the metric's own unit. Scores of two metrics never meet in one plan. */
export type LocalMetric = (error: LayerError) => Promise<number>

/** Standard error of a scale as a share of it, which is that of the losses it scales. */
export function relativeError(scale: LayerScale | null): number {
  if (scale?.outputs !== undefined) return scale.outputs.relative
  const { value = 0, stderr = 0 } = scale?.curvature ?? {}
  return value === 0 ? 0 : stderr / Math.abs(value)
}
