/** @file y = tanh x: dx = dy (1 − y²) */
import type { Rule } from '../rule.ts'

export const tanh: Rule = (g, { outputs: [y], dy }) => [() => g.mul(dy, g.sub(g.scalar(1, y), g.mul(y, y)))]
