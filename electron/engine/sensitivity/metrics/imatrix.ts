/** @file Σ_j E[x_j²]·Σ_r Δ_rj²: the diagonal of the layer Hessian only, as importance matrices weigh errors. */
import { kernels } from '../../../../kernels/kernels.ts'
import { importanceOf } from '../../calibrate/statistics.ts'
import type { LocalMetric } from './metric.ts'

export const imatrix: LocalMetric = async ({ weights, quantized, shape, inputs, rowUse }) => {
  const product = inputs ? await kernels().weightedError(weights, quantized, shape, null, importanceOf(inputs)) : 0
  const lookup = rowUse ? await kernels().weightedError(weights, quantized, shape, rowUse, null) : 0
  return product + lookup
}
