/** @file Learning rate over a run: linear warm-up, then half a cosine down to a share of the peak (Loshchilov and Hutter 2017). */

export interface Schedule {
  readonly steps: number
  /** Steps until the peak is reached. */
  readonly warmup: number
  /** Share of the peak at the end. */
  readonly floor: number
}

/** Factor of the peak rate at a step, counted from 0. */
export function rateFactor({ steps, warmup, floor }: Schedule, step: number): number {
  if (step < warmup) return (step + 1) / warmup
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup))
  return floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2
}
