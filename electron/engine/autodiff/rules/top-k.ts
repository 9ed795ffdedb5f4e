/** @file values, indices = the k largest along an axis: dx = dvalues at the indices. */
import type { Rule } from '../rule.ts'

export const topK: Rule = (g, node) => {
  const { inputs: [x], outputs: [y], dy } = node
  return [() => {
    const indices = g.extraOutput(y, 1)
    return g.one('ScatterElements', [g.zerosLike(x), indices, dy], { axis: { int: node.int('axis', -1) }, reduction: { string: 'add' } })
  }, null]
}
