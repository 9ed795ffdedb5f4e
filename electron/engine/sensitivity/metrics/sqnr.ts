/** @file ‖Δ‖²/‖W‖², the inverse of the signal-to-quantization-noise ratio: needs no data. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { LocalMetric } from './metric.ts'

export const sqnr: LocalMetric = async ({ weights, quantized, shape }) => {
  const noise = await kernels().weightedError(weights, quantized, shape, null, null)
  const signal = await kernels().weightedError(weights, new Float32Array(weights.length), shape, null, null)
  return signal > 0 ? noise / signal : 0
}
