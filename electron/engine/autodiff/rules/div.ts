/** @file y = a / b: da = dy / b, db = −dy y / b, summed where broadcast. */
import type { Rule } from '../rule.ts'

export const div: Rule = (g, { inputs: [a, b], outputs: [y], dy }) => [
  () => g.unbroadcast(g.div(dy, b), a),
  () => g.neg(g.unbroadcast(g.mul(g.div(dy, b), y), b)),
]
