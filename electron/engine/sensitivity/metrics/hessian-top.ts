/** @file Ω = |λ| · ‖Δ‖² with λ the largest eigenvalue of the loss Hessian of the layer (HAWQ, §3.2). The rest of the spectrum does not count. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { LocalMetric } from './metric.ts'

export const hessianTop: LocalMetric = async ({ weights, quantized, shape, scale }) =>
  Math.abs(scale?.curvature?.value ?? 0) * (await kernels().weightedError(weights, quantized, shape, null, null))
