/**
 * @file Σ_r weight_r·E[Δy_r²]: the squared error of every output weighed by how much the loss minds it (output-weights.ts), with E[Δy_r²] =
 * (ΔHΔᵀ)_rr / N from the layer Hessian H. A table that is looked up errs by its rows: Σ_r use_r·Σ_j weight_j·Δ_rj².
 */
import { kernels } from '../../../../kernels/kernels.ts'
import type { LocalMetric } from './metric.ts'

/** Rows scaled by √weight. */
function scaledRows(values: Float32Array, weights: Float64Array): Float32Array {
  const cols = values.length / weights.length
  const out = new Float32Array(values.length)
  for (let row = 0; row < weights.length; row++) {
    const factor = Math.sqrt(weights[row])
    for (let index = row * cols; index < (row + 1) * cols; index++) out[index] = factor * values[index]
  }
  return out
}

export const fisherOutput: LocalMetric = async ({ weights, quantized, shape, inputs, rowUse, scale }) => {
  const { rows = null, columns = null } = scale?.outputs ?? {}
  const product = inputs && rows ? (await kernels().outputError(scaledRows(weights, rows), scaledRows(quantized, rows), shape, inputs.hessian)) / Math.max(inputs.tokens, 1) : 0
  const lookup = rowUse && columns ? await kernels().weightedError(weights, quantized, shape, rowUse, Float32Array.from(columns)) : 0
  return product + lookup
}
