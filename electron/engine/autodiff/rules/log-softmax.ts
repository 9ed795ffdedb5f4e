/** @file y = x − ln Σ eˣ along an axis: dx = dy − eʸ Σ dy */
import { axisOf } from '../../graph/shapes/rule.ts'
import type { Rule } from '../rule.ts'

export const logSoftmax: Rule = (g, node) => {
  const { outputs: [y], dy } = node
  return [() => {
    const axis = axisOf(node.int('axis', -1), g.rank(y), node.where)
    return g.sub(dy, g.mul(g.unary('Exp', y), g.sum(dy, [axis], true)))
  }]
}
