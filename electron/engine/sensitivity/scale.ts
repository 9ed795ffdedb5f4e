/**
 * @file `kl-scaled`: the local output error of a layer, scaled by what such an error costs at the logits. For a few probe options
 * the KL of the whole model is measured with that layer alone replaced; between them log KL is taken as linear in log error.
 */

export interface Probe {
  /** Local error tr(ΔHΔᵀ)/N of the probe option. */
  readonly error: number
  /** Measured KL with only this layer replaced. */
  readonly divergence: number
  readonly stderr: number
}

/** Below this an error or a divergence is rounding noise of float32. */
const noiseFloor = 1e-12

/** Slopes of log KL over log error outside of which a pair of probes is noise; a quadratic loss has slope 1. */
const slopeRange = [0.7, 1.4] as const

/** The predicted divergence of a local error, and its standard error, from one or more probes of the same layer. */
export function scaledLoss(error: number, probes: readonly Probe[]): { value: number; stderr: number } {
  const usable = probes.filter((probe) => probe.error > noiseFloor && probe.divergence > noiseFloor).sort((a, b) => a.error - b.error)
  const [low, high] = [usable[0], usable.at(-1)]
  if (!low || !high || error <= noiseFloor) return { value: 0, stderr: 0 }
  const nearest = Math.abs(Math.log(error / low.error)) < Math.abs(Math.log(error / high.error)) ? low : high
  const slope = low === high || high.error / low.error < 1.5
    ? 1
    : Math.min(slopeRange[1], Math.max(slopeRange[0], Math.log(high.divergence / low.divergence) / Math.log(high.error / low.error)))
  const value = nearest.divergence * (error / nearest.error) ** slope
  return { value, stderr: value * (nearest.stderr / nearest.divergence) }
}
