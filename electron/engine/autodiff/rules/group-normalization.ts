/** @file y = γ x̂ + β with the statistics of every sample and group of channels (Wu & He 2018); γ and β are per channel. */
import { normalized, type Normalized } from '../normalize.ts'
import type { Rule } from '../rule.ts'

export const groupNormalization: Rule = (g, node) => {
  const { inputs: [x, scale], dy } = node
  const spatial = g.shape(x).slice(2).map((_, axis) => axis + 2)
  const grouped = (value: string): string => g.reshape(value, [[x, 0], node.int('num_groups', 1), -1])
  const unit = (): Normalized => normalized(g, grouped(x), [2], node.float('epsilon', 1e-5), true)
  const channels = (): string => g.unsqueeze(scale, spatial.map((axis) => axis - 1))
  return [
    () => g.reshapeLike(unit().pull(grouped(g.mul(dy, channels()))), x),
    () => g.sum(g.mul(dy, g.reshapeLike(unit().value, x)), [0, ...spatial]),
    () => g.sum(dy, [0, ...spatial]),
  ]
}
