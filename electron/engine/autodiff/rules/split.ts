/** @file a, b, … = parts of x along an axis: dx = their gradients one after the other, zeros where a part was not used. */
import { axisOf } from '../../graph/shapes/rule.ts'
import type { Rule } from '../rule.ts'

export const split: Rule = (g, node) => {
  const { inputs: [x], outputs, dys } = node
  const axis = axisOf(node.int('axis', 0), g.rank(x), node.where)
  return [() => g.one('Concat', outputs.map((output, index) => dys[index] ?? g.zerosLike(output)), { axis: { int: axis } }), null]
}
