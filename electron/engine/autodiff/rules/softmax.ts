/** @file y = softmax x along an axis: dx = y (dy − Σ dy y) */
import { axisOf } from '../../graph/shapes/rule.ts'
import type { Rule } from '../rule.ts'

export const softmax: Rule = (g, node) => {
  const { outputs: [y], dy } = node
  return [() => {
    const axis = axisOf(node.int('axis', -1), g.rank(y), node.where)
    return g.mul(y, g.sub(dy, g.sum(g.mul(dy, y), [axis], true)))
  }]
}
