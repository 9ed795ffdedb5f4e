/** @file What the gradients of reductions share. */
import { AppError } from '../../contract/errors.ts'
import { staticShape } from '../graph/shapes/dimension.ts'
import { axisOf } from '../graph/shapes/rule.ts'
import type { Algebra } from '../graph/algebra.ts'
import type { RuleNode } from './rule.ts'

/** `gradient` of the node's output with the reduced axes put back as size 1. */
export function keptAxes(g: Algebra, node: RuleNode, gradient: string): string {
  const { inputs: [x, axes = ''] } = node
  if (node.int('keepdims', 1) === 1) return gradient
  const given = axes === '' ? [] : g.numbers(axes)
  if (given === null) throw new AppError('unsupported-operator', `${node.where}: found axes that are computed, expected constants`, { hint: 'Freeze what is before this node.' })
  if (given.length > 0) return g.unsqueeze(gradient, given.map((axis) => axisOf(axis, g.rank(x), node.where)))
  return node.int('noop_with_empty_axes', 0) === 1 ? gradient : g.unsqueeze(gradient, g.shape(x).map((_, axis) => axis))
}

/** `gradient` divided by the number of elements of x that make one of y. */
export function overCount(g: Algebra, gradient: string, x: string, y: string): string {
  const [from, to] = [staticShape(g.shape(x)), staticShape(g.shape(y))]
  if (from !== null && to !== null) return g.scale(gradient, product(to) / product(from))
  const ratio = g.div(g.unary('Size', x), g.unary('Size', y))
  return g.div(gradient, g.cast(ratio, g.type(x)))
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1)
}
