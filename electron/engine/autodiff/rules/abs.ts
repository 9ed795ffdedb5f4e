/** @file y = |x|: dx = dy sign x */
import type { Rule } from '../rule.ts'

export const abs: Rule = (g, { inputs: [x], dy }) => [() => g.mul(dy, g.unary('Sign', x))]
