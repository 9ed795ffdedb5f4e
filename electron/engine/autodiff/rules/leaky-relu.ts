/** @file y = x where x ≥ 0, else α x: dx = dy or α dy */
import type { Rule } from '../rule.ts'

export const leakyRelu: Rule = (g, node) => {
  const { inputs: [x], dy } = node
  return [() => g.where(g.compare('GreaterOrEqual', x, g.scalar(0, x)), dy, g.scale(dy, node.float('alpha', 0.01)))]
}
