/** @file What the charts of a cell say in words. Pure. */
import type { CellView } from '../../../electron/contract/engine.ts'
import { percent } from '../../state/format.ts'

type Bins = CellView['errors']

/** The value in the middle of a bin. */
export function middleOf({ low, high, counts }: Bins, bin: number): number {
  return low + ((bin + 0.5) * (high - low)) / Math.max(1, counts.length)
}

/** Half of the groups lie below the one, and one in a hundred above the other. */
export function groupWords(errors: Bins): string {
  const all = errors.counts.reduce((sum, count) => sum + count, 0)
  if (all === 0 || errors.high === 0) return 'No group loses anything.'
  const at = (share: number): number => {
    let seen = 0
    return errors.counts.findIndex((count) => (seen += count) >= all * share)
  }
  return `Half of the groups stay below ${percent(middleOf(errors, at(0.5)), 0)}, all but 1 % below ${percent(middleOf(errors, at(0.99)), 0)}.`
}

export function sampleWords({ rows, allRows }: Pick<CellView, 'rows' | 'allRows'>): string {
  return rows < allRows ? `${rows.toLocaleString('en-US')} of ${allRows.toLocaleString('en-US')} rows are looked at.` : ''
}
