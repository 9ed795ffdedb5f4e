/** @file y = Σ x over axes: dx = dy repeated along them. */
import { keptAxes } from '../reduction.ts'
import type { Rule } from '../rule.ts'

export const reduceSum: Rule = (g, node) => {
  const { inputs: [x], dy } = node
  return [() => g.expandLike(keptAxes(g, node, dy), x), null]
}
