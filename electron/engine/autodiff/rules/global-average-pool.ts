/** @file y = mean over all spatial axes: dx = dy / n repeated along them. */
import { overCount } from '../reduction.ts'
import type { Rule } from '../rule.ts'

export const globalAveragePool: Rule = (g, { inputs: [x], outputs: [y], dy }) => [() => g.expandLike(overCount(g, dy, x, y), x)]
