/** @file A local metric: what one layer's loss under one option is, from its weights and the statistics of its inputs. */
import type { Shape } from '../../../../kernels/kernels.ts'
import type { Statistics } from '../../calibrate/statistics.ts'

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
}

/** Loss in the metric's own unit. Scores of two metrics never meet in one plan. */
export type LocalMetric = (error: LayerError) => Promise<number>
