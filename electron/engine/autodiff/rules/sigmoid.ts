/** @file y = σ(x): dx = dy y (1 − y) */
import type { Rule } from '../rule.ts'

export const sigmoid: Rule = (g, { outputs: [y], dy }) => [() => g.mul(dy, g.mul(y, g.sub(g.scalar(1, y), y)))]
