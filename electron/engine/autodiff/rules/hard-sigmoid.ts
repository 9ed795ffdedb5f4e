/** @file y = min(1, max(0, α x + β)): dx = α dy where 0 < y < 1, else 0 */
import type { Rule } from '../rule.ts'

export const hardSigmoid: Rule = (g, node) => {
  const { outputs: [y], dy } = node
  const inside = (): string => g.one('And', [g.compare('Greater', y, g.scalar(0, y)), g.compare('Less', y, g.scalar(1, y))])
  return [() => g.where(inside(), g.scale(dy, node.float('alpha', 0.2)), g.scalar(0, y))]
}
