/** @file y = xᵉ: dx = dy e xᵉ⁻¹, de = dy y ln x where x > 0, else 0. Squares and cubes are products, which are faster than Pow. */
import type { Rule } from '../rule.ts'
import type { Algebra } from '../../graph/algebra.ts'

export const pow: Rule = (g, { inputs: [x, e], outputs: [y], dy }) => [
  () => g.unbroadcast(g.mul(dy, slope(g, x, e)), x),
  () => {
    const isPositive = g.compare('Greater', x, g.scalar(0, x))
    const log = g.unary('Log', g.where(isPositive, x, g.scalar(1, x)))
    return g.unbroadcast(g.mul(dy, g.mul(y, log)), e)
  },
]

function slope(g: Algebra, x: string, e: string): string {
  const exponent = g.numbers(e)?.length === 1 ? g.numbers(e)?.[0] : undefined
  if (exponent === 1) return g.expandLike(g.scalar(1, x), x)
  if (exponent === 2) return g.scale(x, 2)
  if (exponent === 3) return g.scale(g.mul(x, x), 3)
  if (exponent !== undefined) return g.scale(g.one('Pow', [x, g.scalar(exponent - 1, x)]), exponent)
  const own = g.cast(e, g.type(x))
  return g.mul(own, g.one('Pow', [x, g.sub(own, g.scalar(1, x))]))
}
