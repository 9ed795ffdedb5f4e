/** @file y = 1/x: dx = −dy y² */
import type { Rule } from '../rule.ts'

export const reciprocal: Rule = (g, { outputs: [y], dy }) => [() => g.neg(g.mul(dy, g.mul(y, y)))]
