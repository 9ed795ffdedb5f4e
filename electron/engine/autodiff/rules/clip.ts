/** @file y = min(max(x, low), high): dx = dy where low ≤ x ≤ high; the bounds get dy where they hold. */
import type { Rule } from '../rule.ts'

export const clip: Rule = (g, { inputs: [x, low = '', high = ''], dy }) => {
  const zero = (): string => g.scalar(0, x)
  const below = (): string => g.compare('Less', x, low)
  const above = (): string => g.compare('Greater', x, high)
  const outside = (): string => (low === '' ? above() : high === '' ? below() : g.one('Or', [below(), above()]))
  return [
    () => (low === '' && high === '' ? dy : g.where(outside(), zero(), dy)),
    () => g.sum(g.where(below(), dy, zero())),
    () => g.sum(g.where(above(), dy, zero())),
  ]
}
