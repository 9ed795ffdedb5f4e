/**
 * @file x̂ = (x − mean) / √(var + ε) and its gradient, shared by layer, RMS, instance and group normalization:
 * dx = (d − mean d − x̂ mean(d x̂)) / √(var + ε), without the means of x and d where it is not centred.
 */
import { axisOf } from '../graph/shapes/rule.ts'
import type { Algebra } from '../graph/algebra.ts'
import type { RuleNode } from './rule.ts'

export interface Normalized {
  /** x̂ */
  readonly value: string
  /** The gradient with respect to x of a gradient with respect to x̂. */
  pull(gradient: string): string
}

/** Normalizes x over axes. Calling it twice writes the nodes once. */
export function normalized(g: Algebra, x: string, axes: readonly number[], epsilon: number, isCentered: boolean): Normalized {
  const centered = isCentered ? g.sub(x, g.mean(x, axes)) : x
  const variance = g.mean(g.mul(centered, centered), axes)
  const inverse = g.unary('Reciprocal', g.unary('Sqrt', g.add(variance, g.scalar(epsilon, x))))
  const value = g.mul(centered, inverse)
  return {
    value,
    pull(gradient) {
      const along = g.mul(value, g.mean(g.mul(gradient, value), axes))
      const rest = isCentered ? g.sub(gradient, g.mean(gradient, axes)) : gradient
      return g.mul(g.sub(rest, along), inverse)
    },
  }
}

/** The axes from the node's `axis` to the last. */
export function lastAxes(g: Algebra, node: RuleNode, x: string): number[] {
  const rank = g.rank(x)
  const first = axisOf(node.int('axis', -1), rank, node.where)
  return Array.from({ length: rank - first }, (_, index) => first + index)
}
