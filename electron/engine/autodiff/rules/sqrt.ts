/** @file y = √x: dx = dy / (2 y) */
import type { Rule } from '../rule.ts'

export const sqrt: Rule = (g, { outputs: [y], dy }) => [() => g.scale(g.div(dy, y), 0.5)]
