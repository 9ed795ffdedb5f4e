/** @file y = conv(x, w) + b: dx = transposed convolution of dy by the same weights, dw by ConvWeightGradient, db = Σ dy over all but channels. */
import { transposedTo, weightGradient, windowOf } from '../convolution.ts'
import type { Rule } from '../rule.ts'

export const conv: Rule = (g, node) => {
  const { inputs: [x, w], dy } = node
  const window = windowOf(g, node, w)
  return [
    () => transposedTo(g, dy, w, window, x),
    () => weightGradient(g, x, dy, window),
    () => g.sum(dy, g.shape(dy).flatMap((_, axis) => (axis === 1 ? [] : [axis]))),
  ]
}
