/** @file y = γ x̂, x̂ = x / √(mean x² + ε) over the last axes (Zhang & Sennrich 2019). */
import { lastAxes, normalized, type Normalized } from '../normalize.ts'
import type { Rule } from '../rule.ts'

export const rmsNormalization: Rule = (g, node) => {
  const { inputs: [x, scale], dy } = node
  const axes = lastAxes(g, node, x)
  const unit = (): Normalized => normalized(g, x, axes, node.float('epsilon', 1e-5), false)
  return [() => unit().pull(g.mul(dy, scale)), () => g.unbroadcast(g.mul(dy, unit().value), scale)]
}
