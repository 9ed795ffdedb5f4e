/**
 * @file dW(x, dy) is linear in both: with V in the shape of W, the gradient of x is the transposed convolution of dy by V, that of dy
 * the convolution of x by V.
 */
import { attributes, transposedTo, windowOf } from '../convolution.ts'
import type { Rule } from '../rule.ts'

export const convWeightGradient: Rule = (g, node) => {
  const { inputs: [x, dy], dy: v } = node
  const window = windowOf(g, node, v)
  return [() => transposedTo(g, dy, v, window, x), () => g.one('Conv', [x, v], attributes(window))]
}
