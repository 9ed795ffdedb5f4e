/**
 * @file y = x Φ(x): dx = dy (Φ(x) + x φ(x)), Hendrycks & Gimpel 2016. The tanh form has Φ ≈ ½ (1 + tanh u), u = √(2/π) (x + 0.044715 x³),
 * so dx = dy (½ (1 + tanh u) + ½ x (1 − tanh² u) u′).
 */
import type { Rule } from '../rule.ts'
import type { Algebra } from '../../graph/algebra.ts'

const cubic = 0.044715
const root = Math.sqrt(2 / Math.PI)

export const gelu: Rule = (g, node) => {
  const { inputs: [x], dy } = node
  return [() => g.mul(dy, node.text('approximate', 'none') === 'tanh' ? tanhForm(g, x) : erfForm(g, x))]
}

function erfForm(g: Algebra, x: string): string {
  const cumulative = g.scale(g.add(g.scalar(1, x), g.unary('Erf', g.scale(x, Math.SQRT1_2))), 0.5)
  const density = g.scale(g.unary('Exp', g.scale(g.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))
  return g.add(cumulative, g.mul(x, density))
}

function tanhForm(g: Algebra, x: string): string {
  const square = g.mul(x, x)
  const t = g.unary('Tanh', g.mul(g.scale(x, root), g.add(g.scalar(1, x), g.scale(square, cubic))))
  const slope = g.add(g.scalar(root, x), g.scale(square, 3 * root * cubic))
  const inner = g.mul(g.mul(x, g.sub(g.scalar(1, x), g.mul(t, t))), slope)
  return g.scale(g.add(g.add(g.scalar(1, x), t), inner), 0.5)
}
