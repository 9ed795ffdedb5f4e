/** @file y = ln(1 + eˣ): dx = dy σ(x) */
import type { Rule } from '../rule.ts'

export const softplus: Rule = (g, { inputs: [x], dy }) => [() => g.mul(dy, g.unary('Sigmoid', x))]
