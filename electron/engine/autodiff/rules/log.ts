/** @file y = ln x: dx = dy / x */
import type { Rule } from '../rule.ts'

export const log: Rule = (g, { inputs: [x], dy }) => [() => g.div(dy, x)]
