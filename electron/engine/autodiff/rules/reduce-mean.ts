/** @file y = mean of x over axes: dx = dy / n repeated along them. */
import { keptAxes, overCount } from '../reduction.ts'
import type { Rule } from '../rule.ts'

export const reduceMean: Rule = (g, node) => {
  const { inputs: [x], outputs: [y], dy } = node
  return [() => g.expandLike(keptAxes(g, node, overCount(g, dy, x, y)), x), null]
}
