/** @file y = x where x > 0, else α (eˣ − 1): dx = dy, or dy (y + α) */
import type { Rule } from '../rule.ts'

export const elu: Rule = (g, node) => {
  const { inputs: [x], outputs: [y], dy } = node
  return [() => g.where(g.compare('Greater', x, g.scalar(0, x)), dy, g.mul(dy, g.add(y, g.scalar(node.float('alpha', 1), y))))]
}
