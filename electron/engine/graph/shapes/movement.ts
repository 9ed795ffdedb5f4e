/** @file Shapes of operators that move or repeat elements. Small integers are carried through those that shape arithmetic uses. */
import { AppError } from '../../../contract/errors.ts'
import { dataTypes } from '../../../../kernels/kernels.ts'
import { add, broadcast, divide, multiply, product, staticShape, subtract } from './dimension.ts'
import { axisOf, type ShapeRule, type ShapeView } from './rule.ts'
import type { Dimension } from '../graph.ts'

export const cast: ShapeRule = (view) => {
  const { shape, elements } = view.input(0)
  const type = dataTypes[view.int('to', 1)] ?? 'float32'
  const isWhole = type.includes('int')
  return [{ type, shape, elements: isWhole ? elements?.map((value) => (typeof value === 'number' ? Math.trunc(value) : value)) : elements }]
}

export const reshape: ShapeRule = (view) => {
  const { type, shape, elements } = view.input(0)
  const target = view.elements(1)
  if (target === null) {
    const rank = view.inputs[1]?.shape?.[0]
    return [{ type, shape: typeof rank === 'number' ? Array.from({ length: rank }, () => null) : null, elements }]
  }
  const copies = view.int('allowzero', 0) === 0
  const filled = target.map((size, axis) => (size === 0 && copies ? shape?.[axis] ?? null : size))
  const open = filled.indexOf(-1)
  if (open < 0) return [{ type, shape: filled, elements }]
  const rest = filled.filter((_, axis) => axis !== open)
  const total = shape === null ? null : product(shape)
  const size = divide(total, product(rest))
  if (typeof total === 'number' && size === null && rest.every((part) => typeof part === 'number')) {
    throw new AppError('bad-shape', `${view.where}: found ${total} elements, expected a multiple of ${String(product(rest))} for the shape [${filled.join(', ')}]`)
  }
  return [{ type, shape: filled.map((part, axis) => (axis === open ? size : part)), elements }]
}

export const flatten: ShapeRule = (view) => {
  const { type, shape } = view.input(0)
  if (shape === null) return [{ type, shape: [null, null] }]
  const axis = view.int('axis', 1)
  const at = axis < 0 ? axis + shape.length : axis
  return [{ type, shape: [product(shape.slice(0, at)), product(shape.slice(at))] }]
}

export const transpose: ShapeRule = (view) => {
  const { type, shape, elements } = view.input(0)
  const order = view.ints('perm') ?? shape?.map((_, axis) => shape.length - 1 - axis) ?? null
  if (shape === null || order === null) return [{ type, shape: order?.map(() => null) ?? null }]
  const turned = order.map((axis) => shape[axis] ?? null)
  const dims = staticShape(shape)
  return [{ type, shape: turned, elements: dims === null || elements === undefined ? undefined : picked(elements, dims, order, order.map((axis) => every(dims[axis]))) }]
}

const every = (size: number): Range => ({ start: 0, end: size, step: 1 })

/** Elements of a small tensor in row-major order: those of `ranges` along the axes `order`. */
function picked(elements: readonly Dimension[], dims: readonly number[], order: readonly number[], ranges: readonly Range[]): Dimension[] {
  const strides = dims.map((_, axis) => dims.slice(axis + 1).reduce((count, size) => count * size, 1))
  const places = order.reduce<number[]>((starts, axis, at) => starts.flatMap((start) => {
    const { start: first, step } = ranges[at]
    return Array.from({ length: rangeLength(ranges[at]) }, (_, index) => start + (first + index * step) * strides[axis])
  }), [0])
  return places.map((place) => elements[place] ?? null)
}

export const squeeze: ShapeRule = (view) => {
  const { type, shape, elements } = view.input(0)
  const axes = view.gives(1, 'axes') ? view.numbers(1, 'axes') : shape?.flatMap((size, axis) => (size === 1 ? [axis] : [])) ?? null
  if (shape === null || axes === null) return [{ type, shape: null, elements }]
  const gone = axes.map((axis) => axisOf(axis, shape.length, view.where))
  return [{ type, shape: shape.filter((_, axis) => !gone.includes(axis)), elements }]
}

export const unsqueeze: ShapeRule = (view) => {
  const { type, shape, elements } = view.input(0)
  const axes = view.numbers(1, 'axes')
  if (shape === null || axes === null) return [{ type, shape: null, elements }]
  const rank = shape.length + axes.length
  const added = axes.map((axis) => axisOf(axis, rank, view.where))
  const rest = shape.values()
  return [{ type, shape: Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : rest.next().value ?? null)), elements }]
}

export const expand: ShapeRule = (view) => {
  const { type, shape } = view.input(0)
  const target = view.elements(1)
  return [{ type, shape: target === null ? null : broadcast([shape, target], view.where) }]
}

export const tile: ShapeRule = (view) => {
  const { type, shape } = view.input(0)
  const times = view.elements(1)
  return [{ type, shape: shape?.map((size, axis) => multiply(size, times?.[axis] ?? null)) ?? null }]
}

export const pad: ShapeRule = (view) => {
  const { type, shape } = view.input(0)
  const pads = view.elements(1, 'pads')
  if (shape === null) return [{ type, shape: null }]
  const axes = view.inputs[3] ? view.numbers(3)?.map((axis) => axisOf(axis, shape.length, view.where)) : shape.map((_, axis) => axis)
  return [{
    type,
    shape: shape.map((size, axis) => {
      const index = axes?.indexOf(axis) ?? -1
      if (axes === undefined || pads === null) return null
      return index < 0 ? size : add(size, add(pads[index] ?? null, pads[index + axes.length] ?? null))
    }),
  }]
}

export const concat: ShapeRule = (view) => {
  const { type } = view.input(0)
  const shapes = view.inputs.map((input) => input?.shape ?? null)
  const known = shapes.find((shape) => shape !== null)
  const lists = view.inputs.map((input) => input?.elements)
  const elements = known?.length === 1 && lists.every((list) => list !== undefined) ? lists.flat() : undefined
  if (known === undefined || known === null) return [{ type, shape: null }]
  const axis = axisOf(view.int('axis', 0), known.length, view.where)
  const size = shapes.reduce<Dimension>((sum, shape) => add(sum, shape?.[axis] ?? null), 0)
  const shape = known.map((_, at) => (at === axis ? size : shapes.map((one) => one?.[at] ?? null).find((one) => one !== null) ?? null))
  return [{ type, shape, elements: elements === undefined ? partial(view, size) : elements }]
}

/** A shape vector of which some parts are unknown: the unknown ones hold their places. */
function partial(view: ShapeView, size: Dimension): readonly Dimension[] | undefined {
  if (typeof size !== 'number' || view.input(0).shape?.length !== 1 || !view.input(0).type.includes('int')) return undefined
  const parts = view.inputs.map((input) => input?.elements ?? Array.from({ length: Number(input?.shape?.[0] ?? 0) }, () => null))
  const all = parts.flat()
  return all.length === size && all.some((part) => part !== null) ? all : undefined
}

/** Sizes of the parts of a Split. */
export function splitSizes(view: ShapeView): readonly Dimension[] {
  const { shape } = view.input(0)
  const count = view.node.outputs.length
  const given = view.elements(1, 'split')
  if (given !== null) return given
  if (view.gives(1, 'split')) return Array.from({ length: count }, () => null)
  const axis = shape === null ? 0 : axisOf(view.int('axis', 0), shape.length, view.where)
  const total = shape?.[axis] ?? null
  if (typeof total !== 'number') return Array.from({ length: count }, () => divide(total, count))
  const part = Math.ceil(total / count)
  return Array.from({ length: count }, (_, index) => Math.min(part, total - part * index))
}

export const split: ShapeRule = (view) => {
  const { type, shape } = view.input(0)
  const sizes = splitSizes(view)
  const axis = shape === null ? 0 : axisOf(view.int('axis', 0), shape.length, view.where)
  return view.node.outputs.map((_, index) => ({ type, shape: shape?.map((size, at) => (at === axis ? sizes[index] ?? null : size)) ?? null }))
}

/** Start, end and step on one axis, clamped to its size as Slice does it. */
export interface Range {
  readonly start: number
  readonly end: number
  readonly step: number
}

const rangeLength = ({ start, end, step }: Range): number => Math.max(0, Math.ceil((end - start) / step))

export function clampRange(start: number, end: number, step: number, size: number): Range {
  const place = (value: number): number => (value < 0 ? value + size : value)
  const limit = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value))
  return step > 0
    ? { start: limit(place(start), 0, size), end: limit(place(end), 0, size), step }
    : { start: limit(place(start), 0, size - 1), end: limit(end < -size ? -1 : place(end), -1, size - 1), step }
}

export const slice: ShapeRule = (view) => {
  const { type, shape, elements } = view.input(0)
  const [starts, ends] = [view.elements(1, 'starts'), view.elements(2, 'ends')]
  if (shape === null) return [{ type, shape: null }]
  const count = starts?.length ?? ends?.length ?? 0
  const axes = (view.gives(3, 'axes') ? view.numbers(3, 'axes') : Array.from({ length: count }, (_, axis) => axis))?.map((axis) => axisOf(axis, shape.length, view.where))
  const steps = view.inputs[4] ? view.numbers(4) : Array.from({ length: count }, () => 1)
  if (starts === null || ends === null || axes === undefined || steps === null) return [{ type, shape: shape.map(() => null) }]
  const sizes = shape.map((size, axis) => {
    const index = axes.indexOf(axis)
    return index < 0 ? size : sliced(size, starts[index] ?? null, ends[index] ?? null, steps[index] ?? 1)
  })
  const dims = staticShape(shape)
  if (elements === undefined || dims === null) return [{ type, shape: sizes }]
  const ranges = dims.map((size, axis) => {
    const index = axes.indexOf(axis)
    const [start, end] = [starts[index], ends[index]]
    if (index < 0) return every(size)
    return typeof start === 'number' && typeof end === 'number' ? clampRange(start, end, steps[index] ?? 1, size) : null
  })
  const known = ranges.filter((range) => range !== null)
  return [{ type, shape: sizes, elements: known.length === dims.length ? picked(elements, dims, dims.map((_, axis) => axis), known) : undefined }]
}

function sliced(size: Dimension, start: Dimension, end: Dimension, step: number): Dimension {
  if (typeof start === 'number' && typeof end === 'number' && typeof size === 'number') {
    return rangeLength(clampRange(start, end, step, size))
  }
  // "From a to the end" and "to the end but b" of a symbolic size; the size is taken to be large enough.
  if (step !== 1 || size === null) return step === 1 && start === 0 && typeof end !== 'number' ? end : null
  if (typeof start === 'number' && (end === size || (typeof end === 'number' && end > 2 ** 31))) return start >= 0 ? subtract(size, start) : -start
  if (typeof start === 'number' && typeof end === 'number' && start >= 0 && end < 0) return subtract(size, start - end)
  return null
}
