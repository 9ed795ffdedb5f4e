/**
 * @file Ω = |tr H_l| / n · ‖Δ‖², the mean eigenvalue of the loss Hessian times the squared error (HAWQ-V2, §3.1). The magnitude is taken: away
 * from a minimum the trace of a layer may be negative.
 */
import { kernels } from '../../../../kernels/kernels.ts'
import type { LocalMetric } from './metric.ts'

export const hessianTrace: LocalMetric = async ({ weights, quantized, shape, scale }) =>
  (Math.abs(scale?.curvature?.value ?? 0) / weights.length) * (await kernels().weightedError(weights, quantized, shape, null, null))
