/** @file Windows of the data that a job's training is judged by, and how often. */

/** Evaluations after the first, at most. None ends a run early: while the rate is high, rounded values are noisy, and the loss falls when the rate does. */
const EVALUATIONS = 24

/** Steps between two evaluations. */
export function evaluateEvery(steps: number): number {
  return Math.ceil(steps / EVALUATIONS)
}

/** Evaluations of a run, the one before its first step among them. */
export function evaluationCount(steps: number): number {
  return 1 + Math.ceil(steps / evaluateEvery(steps))
}

/** Enough for a mean that tells steps apart, and at most this share of the data. */
const HELD_OUT_MOST = 16
const HELD_OUT_SHARE = 0.1

/** Windows held out of so many. */
export function heldOutCount(windows: number): number {
  return Math.min(HELD_OUT_MOST, Math.floor(windows * HELD_OUT_SHARE))
}

/** Every so many-th window is held out. */
export function splitWindows(windows: readonly Int32Array[]): { windows: readonly Int32Array[]; heldOut: readonly Int32Array[] } {
  const count = heldOutCount(windows.length)
  const step = Math.floor(windows.length / Math.max(count, 1))
  const isHeldOut = (at: number): boolean => at % step === 0 && at / step < count
  return { windows: windows.filter((_, at) => !isHeldOut(at)), heldOut: windows.filter((_, at) => isHeldOut(at)) }
}
