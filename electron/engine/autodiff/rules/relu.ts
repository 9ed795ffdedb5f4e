/** @file y = max(x, 0): dx = dy where y > 0, else 0 */
import type { Rule } from '../rule.ts'

export const relu: Rule = (g, { outputs: [y], dy }) => [() => g.where(g.compare('Greater', y, g.scalar(0, y)), dy, g.scalar(0, y))]
