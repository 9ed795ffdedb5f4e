/**
 * @file The layer's mean squared output error, tr(ΔHΔᵀ)/N with Δ = W − Ŵ and H = XᵀX over N tokens: exact, no backward pass.
 * A looked-up table has the error of its rows, by how often they are used: Σ_r use_r·‖Δ_r‖².
 */
import { kernels } from '../../../../kernels/kernels.ts'
import type { LocalMetric } from './metric.ts'

export const layerOutput: LocalMetric = async ({ weights, quantized, shape, inputs, rowUse }) => {
  const product = inputs ? await kernels().outputError(weights, quantized, shape, inputs.hessian) / Math.max(inputs.tokens, 1) : 0
  const lookup = rowUse ? await kernels().weightedError(weights, quantized, shape, rowUse, null) : 0
  return product + lookup
}
