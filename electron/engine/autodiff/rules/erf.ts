/** @file y = erf x: dx = dy · 2/√π · e^(−x²) */
import type { Rule } from '../rule.ts'

export const erf: Rule = (g, { inputs: [x], dy }) => [() => g.mul(dy, g.scale(g.unary('Exp', g.neg(g.mul(x, x))), 2 / Math.sqrt(Math.PI)))]
