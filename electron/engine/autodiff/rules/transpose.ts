/** @file y = x with its axes in another order: dy in the order that undoes it. */
import type { Rule } from '../rule.ts'

export const transpose: Rule = (g, node) => {
  const { inputs: [x], dy } = node
  return [() => {
    const order = node.ints('perm') ?? g.shape(x).map((_, axis, shape) => shape.length - 1 - axis)
    return g.transpose(dy, order.map((_, axis) => order.indexOf(axis)))
  }]
}
