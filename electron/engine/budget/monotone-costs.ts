/**
 * @file Makes losses monotone in bytes: an option that takes more bytes is never predicted to lose more than a smaller one
 * (score[b] = min(score[b], score[b−1])). Without it noise makes a solver pay a higher price for a worse layer.
 */

export interface Priced {
  readonly bytes: number
  readonly value: number
}

/** The same options with every value replaced by the least value among options of no more bytes. */
export function monotoneCosts<T extends Priced>(options: Readonly<Record<string, T>>): Record<string, T> {
  const sorted = Object.entries(options).sort(([, a], [, b]) => a.bytes - b.bytes || a.value - b.value)
  let least = Infinity
  const lowered = new Map(sorted.map(([name, option]) => {
    least = Math.min(least, option.value)
    return [name, option.value === least ? option : { ...option, value: least }]
  }))
  return Object.fromEntries(Object.keys(options).map((name) => [name, lowered.get(name) ?? options[name]]))
}
