/**
 * @file y = x[start:end:step] on some axes: dx = dy put back among zeros. Steps of 1 are a Pad; larger ones first spread dy out by
 * zeros between (Pad on an axis of its own); what is computed or runs backwards is scattered by index.
 */
import { AppError } from '../../../contract/errors.ts'
import { clampRange, type Range } from '../../graph/shapes/movement.ts'
import { axisOf } from '../../graph/shapes/rule.ts'
import { scatterAlong } from '../scatter.ts'
import type { Rule, RuleNode } from '../rule.ts'
import type { Algebra, Part } from '../../graph/algebra.ts'
import type { Dimension } from '../../graph/graph.ts'

export const slice: Rule = (g, node) => {
  const { inputs: [x, starts, ends, axes = '', steps = ''], outputs: [y], dy } = node
  return [() => {
    const rank = g.rank(x)
    const count = g.shape(starts)[0]
    const named = axes === '' ? Array.from({ length: typeof count === 'number' ? count : rank }, (_, axis) => axis) : g.numbers(axes)
    if (named === null) throw new AppError('unsupported-operator', `${node.where}: found axes that are computed, expected constants`, { hint: 'Freeze what is before this node.' })
    const places = named.map((axis) => axisOf(axis, rank, node.where))
    const [from, to] = [g.numbers(starts), g.numbers(ends)]
    const strides = steps === '' ? places.map(() => 1) : g.numbers(steps)
    const sizes = places.map((axis) => g.shape(x)[axis] ?? null)
    const ranges = places.map((_, index) => known(from?.[index], to?.[index], strides?.[index], sizes[index]))
    const all = ranges.filter((range) => range !== null)
    if (all.length === ranges.length && all.every(({ step }) => step > 0)) return padded(g, x, y, dy, places, all)
    return scattered(g, node, places)
  }, null, null, null, null]
}

interface Placed extends Range {
  /** Zeros after the last element, where known from the end alone. */
  readonly after: number | null
}

function known(start: number | undefined, end: number | undefined, step: number | undefined, size: Dimension | undefined): Placed | null {
  if (start === undefined || end === undefined || step === undefined) return null
  if (typeof size === 'number') return { ...clampRange(start, end, step, size), after: null }
  // Of an unknown size, "from a on" and "from a to b before the end" still tell the zeros on both sides.
  const toEnd = end >= 2 ** 31 ? 0 : end < 0 ? -end : null
  return step === 1 && start >= 0 && toEnd !== null ? { start, end, step, after: toEnd } : null
}

function padded(g: Algebra, x: string, y: string, dy: string, axes: readonly number[], ranges: readonly Placed[]): string {
  const rank = g.rank(x)
  const before = new Array<number>(rank).fill(0)
  const after = new Array<number>(rank).fill(0)
  let spread = dy
  axes.forEach((axis, index) => {
    const { start, step, after: zeros } = ranges[index]
    const [size, count] = [g.shape(x)[axis], g.shape(y)[axis]]
    if (step > 1) spread = dilate(g, spread, y, axis, step)
    before[axis] = start
    after[axis] = zeros ?? Number(size) - start - Number(count) * step
  })
  return [...before, ...after].every((amount) => amount === 0) ? spread : g.one('Pad', [spread, g.ints([...before, ...after])])
}

/** step − 1 zeros after every element along the axis. */
function dilate(g: Algebra, x: string, y: string, axis: number, step: number): string {
  const shape = g.shape(x)
  const widened = g.unsqueeze(x, [axis + 1])
  const pads = new Array<number>(2 * (shape.length + 1)).fill(0)
  pads[shape.length + 1 + axis + 1] = step - 1
  const parts = shape.map((size, at): Part => (at === axis ? Number(g.shape(y)[axis]) * step : typeof size === 'number' ? size : [y, at]))
  return g.reshape(g.one('Pad', [widened, g.ints(pads)]), parts)
}

/** By index, one axis after the other from the last: the positions are the same slice of 0, 1, 2, … */
function scattered(g: Algebra, node: RuleNode, axes: readonly number[]): string {
  const { inputs: [x, starts, ends, , steps = ''], dy } = node
  const at = (list: string, index: number): string => g.slice(list, 0, index, index + 1)
  return axes.reduceRight((gradient, axis, index) => {
    const length = g.one('Squeeze', [g.size(x, axis), g.ints([0])])
    const positions = g.one('Range', [g.ints(0), length, g.ints(1)])
    const stride = steps === '' ? g.ints([1]) : at(steps, index)
    return scatterAlong(g, gradient, g.one('Slice', [positions, at(starts, index), at(ends, index), g.ints([0]), stride]), axis, [x, axis])
  }, dy)
}
