/**
 * @file How much each output of a layer counts when a correction is fitted: LQ-LoRA's weighted decomposition (Guo et al. 2023, §3.2) with
 * Fisher information. Rows are multiplied by roots of their weights before a fit, and its branch is divided by them after.
 */

/** Outputs that the loss hardly minds are still corrected a little: least root, as a share of the mean. */
const LEAST = 1e-3

/** √(weight / mean) by row. */
export function rowRoots(weights: Float64Array): Float32Array {
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length
  return Float32Array.from(weights, (weight) => (mean > 0 ? Math.max(LEAST, Math.sqrt(weight / mean)) : 1))
}

/** Rows of `values` [rows, cols] times `factors`, as a new array. */
export function scaledRows(values: Float32Array, factors: Float32Array): Float32Array {
  const cols = values.length / factors.length
  return values.map((value, at) => value * factors[Math.floor(at / cols)])
}
