/** @file y = γ x̂ + β with the statistics of every sample and channel by itself. */
import { normalized, type Normalized } from '../normalize.ts'
import type { Rule } from '../rule.ts'

export const instanceNormalization: Rule = (g, node) => {
  const { inputs: [x, scale], dy } = node
  const spatial = g.shape(x).slice(2).map((_, axis) => axis + 2)
  const unit = (): Normalized => normalized(g, x, spatial, node.float('epsilon', 1e-5), true)
  const channels = (): string => g.unsqueeze(scale, spatial.map((axis) => axis - 1))
  return [
    () => unit().pull(g.mul(dy, channels())),
    () => g.sum(g.mul(dy, unit().value), [0, ...spatial]),
    () => g.sum(dy, [0, ...spatial]),
  ]
}
