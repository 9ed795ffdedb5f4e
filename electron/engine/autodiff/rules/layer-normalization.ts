/** @file y = γ x̂ + β, x̂ = (x − mean) / √(var + ε) over the last axes (Ba et al. 2016). */
import { lastAxes, normalized, type Normalized } from '../normalize.ts'
import type { Rule } from '../rule.ts'

export const layerNormalization: Rule = (g, node) => {
  const { inputs: [x, scale, bias = ''], dy } = node
  const axes = lastAxes(g, node, x)
  const unit = (): Normalized => normalized(g, x, axes, node.float('epsilon', 1e-5), true)
  return [
    () => unit().pull(g.mul(dy, scale)),
    () => g.unbroadcast(g.mul(dy, unit().value), scale),
    () => g.unbroadcast(dy, bias),
  ]
}
