/**
 * @file Makes losses monotone in bytes: an option that takes more bytes is never predicted to lose more than a smaller one
 * (score[b] = min(score[b], score[b−1])). Without it noise makes a solver pay a higher price for a worse layer.
 */

export interface Priced {
  readonly bytes: number
  readonly value: number
}

/** The same options with no value above the least value among options of fewer bytes. */
export function monotoneCosts<T extends Priced>(options: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => {
    const smaller = Object.values(options).filter(({ bytes }) => bytes < option.bytes)
    const least = Math.min(...smaller.map(({ value }) => value))
    return [name, least < option.value ? { ...option, value: least } : option]
  }))
}
