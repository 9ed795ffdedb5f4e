/** @file y = sin x: dx = dy cos x */
import type { Rule } from '../rule.ts'

export const sin: Rule = (g, { inputs: [x], dy }) => [() => g.mul(dy, g.unary('Cos', x))]
