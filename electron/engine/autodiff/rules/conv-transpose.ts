/**
 * @file y = transposed conv(x, w) + b is the input gradient of a convolution: dx is that convolution of dy, and dw its weight gradient
 * with the roles of input and output exchanged.
 */
import { attributes, weightGradient, windowOf } from '../convolution.ts'
import type { Rule } from '../rule.ts'

export const convTranspose: Rule = (g, node) => {
  const { inputs: [x, w], dy } = node
  const window = windowOf(g, node, w)
  return [
    () => g.one('Conv', [dy, w], attributes(window)),
    () => weightGradient(g, dy, x, window),
    () => g.sum(dy, g.shape(dy).flatMap((_, axis) => (axis === 1 ? [] : [axis]))),
  ]
}
