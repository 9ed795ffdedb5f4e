/** @file y = max or min of x over axes: dy goes to the element that was chosen, in equal parts where several are equal. */
import { keptAxes } from '../reduction.ts'
import type { Rule } from '../rule.ts'

export const reduceExtremum: Rule = (g, node) => {
  const { node: { op, inputs: names }, inputs: [x], dy } = node
  return [() => {
    const kept = g.one(op, node.inputs, { ...node.node.attributes, keepdims: { int: 1 } })
    const chosen = g.cast(g.compare('Equal', x, kept), g.type(x))
    const axes = names.length > 1 ? [chosen, node.inputs[1]] : [chosen]
    const count = g.one('ReduceSum', axes, { ...(node.int('noop_with_empty_axes', 0) === 1 && { noop_with_empty_axes: { int: 1 } }) })
    return g.mul(chosen, g.div(keptAxes(g, node, dy), count))
  }, null]
}
