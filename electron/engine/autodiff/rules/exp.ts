/** @file y = eˣ: dx = dy y */
import type { Rule } from '../rule.ts'

export const exp: Rule = (g, { outputs: [y], dy }) => [() => g.mul(dy, y)]
