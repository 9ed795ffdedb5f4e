/** @file Squared error of hidden states against a teacher's, by window: a mean over numbers, or relative to the teacher's squares. */

export interface StateErrorOptions {
  readonly weight: number
  /** Σ(o − t)² / Σt² in place of a mean over `numbers`. */
  readonly relative: boolean
  /** Numbers of all states that the mean is over; windows, where it is relative. */
  readonly total: number
}

/** The error of one window's outputs [tokens, hidden]; where `gradient` is given, its own is added there. Unweighted. */
export function stateError(output: Float32Array, target: Float32Array, { weight, relative, total }: StateErrorOptions, gradient: Float32Array | null): number {
  let squares = 0
  let error = 0
  for (let at = 0; at < target.length; at++) {
    squares += target[at] * target[at]
    error += (output[at] - target[at]) ** 2
  }
  const scale = 1 / (total * (relative ? Math.max(squares, Number.MIN_VALUE) : 1))
  if (gradient !== null) for (let at = 0; at < target.length; at++) gradient[at] += 2 * weight * scale * (output[at] - target[at])
  return error * scale
}
