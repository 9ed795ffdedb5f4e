/** @file How quickly text comes: the first token with all loading before it, then the time from token to token. */
import type { Generated } from '../../contract/engine.ts'

export interface Pace {
  /** A token has come. */
  readonly mark: () => void
  readonly numbers: () => Pick<Generated, 'tokensPerSecond' | 'firstTokenMs' | 'tokenMs'>
}

/** The value below which a share of sorted numbers lies, or at which. */
const quantile = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]

/** Starts the watch. `now` gives milliseconds. */
export function createPace(now: () => number = () => performance.now()): Pace {
  const begun = now()
  const marks: number[] = []
  return {
    mark: () => { marks.push(now()) },
    numbers() {
      if (marks.length === 0) return { tokensPerSecond: 0 }
      const firstTokenMs = marks[0] - begun
      const gaps = marks.slice(1).map((mark, i) => mark - marks[i]).sort((a, b) => a - b)
      if (gaps.length === 0) return { tokensPerSecond: 1000 / firstTokenMs, firstTokenMs }
      const all = gaps.reduce((sum, gap) => sum + gap, 0)
      return { tokensPerSecond: (1000 * gaps.length) / all, firstTokenMs, tokenMs: { median: quantile(gaps, 0.5), p95: quantile(gaps, 0.95) } }
    },
  }
}
