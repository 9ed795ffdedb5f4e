/** @file y = cos x: dx = −dy sin x */
import type { Rule } from '../rule.ts'

export const cos: Rule = (g, { inputs: [x], dy }) => [() => g.neg(g.mul(dy, g.unary('Sin', x)))]
