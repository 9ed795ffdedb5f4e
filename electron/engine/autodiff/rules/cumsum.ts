/** @file y = running sums along an axis: dx = running sums of dy from the other end. */
import type { Rule } from '../rule.ts'

export const cumsum: Rule = (g, node) => {
  const { inputs: [, axis], dy } = node
  const attributes = { ...(node.int('exclusive', 0) === 1 && { exclusive: { int: 1 } }), ...(node.int('reverse', 0) === 0 && { reverse: { int: 1 } }) }
  return [() => g.one('CumSum', [dy, axis], attributes), null]
}
