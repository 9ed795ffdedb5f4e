/** @file y[i] = x[index[i]] along an axis: dx = dy added to zeros at the same places. */
import type { Rule } from '../rule.ts'

export const gatherElements: Rule = (g, node) => {
  const { inputs: [x, indices], dy } = node
  return [() => g.one('ScatterElements', [g.zerosLike(x), indices, dy], { axis: { int: node.int('axis', 0) }, reduction: { string: 'add' } }), null]
}
