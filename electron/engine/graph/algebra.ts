/**
 * @file Arithmetic on values of a graph being written, for formulas that read like formulas. Shapes are static where they
 * are known and computed in the graph otherwise; what is known to do nothing (· 1, a reshape to the same shape) is left out.
 */
import { same } from './shapes/dimension.ts'
import type { DataType } from '../../../kernels/kernels.ts'
import { dataTypes } from '../../../kernels/kernels.ts'
import type { Emitter } from './emitter.ts'
import type { Dimension } from './graph.ts'

/** A size in a target shape: a number, or an axis of a value. */
export type Part = number | readonly [value: string, axis: number]

export interface Algebra extends Emitter {
  add(a: string, b: string): string
  sub(a: string, b: string): string
  mul(a: string, b: string): string
  div(a: string, b: string): string
  neg(x: string): string
  /** A constant of x's type. */
  scalar(value: number, x: string): string
  scale(x: string, factor: number): string
  unary(op: string, x: string): string
  compare(op: 'Equal' | 'Less' | 'LessOrEqual' | 'Greater' | 'GreaterOrEqual', a: string, b: string): string
  /** condition ? a : b */
  where(condition: string, a: string, b: string): string
  cast(x: string, type: DataType): string
  matmul(a: string, b: string): string
  /** Sum over axes (all where none are given). */
  sum(x: string, axes?: readonly number[], keep?: boolean): string
  mean(x: string, axes: readonly number[], keep?: boolean): string
  transpose(x: string, order: readonly number[]): string
  /** The last two axes exchanged. */
  swap(x: string): string
  /** One size of a value as an int64 vector of one element. */
  size(value: string, axis: number): string
  /** The shape of a value as an int64 vector. */
  shapeOf(value: string): string
  reshape(x: string, parts: readonly Part[]): string
  reshapeLike(x: string, like: string): string
  unsqueeze(x: string, axes: readonly number[]): string
  squeeze(x: string, axes: readonly number[]): string
  expandLike(x: string, like: string): string
  /** Zeros in the shape and type of a value. */
  zerosLike(value: string): string
  slice(x: string, axis: number, start: number, end: number): string
  /** The gradient of a value that was broadcast: summed over the axes along which `like` was repeated. */
  unbroadcast(gradient: string, like: string): string
  rank(x: string): number
}

function isSame(a: readonly Dimension[], b: readonly Dimension[]): boolean {
  return a.length === b.length && a.every((size, axis) => same(size, b[axis] ?? null))
}

export function createAlgebra(e: Emitter): Algebra {
  /** The number of a scalar constant. */
  function constantOf(value: string): number | null {
    const numbers = e.numbers(value)
    return numbers?.length === 1 && e.shape(value).length === 0 ? numbers[0] ?? null : null
  }

  function mul(a: string, b: string): string {
    if (constantOf(a) === 1) return b
    return constantOf(b) === 1 ? a : e.one('Mul', [a, b])
  }

  function size(value: string, axis: number): string {
    const dim = e.shape(value)[axis] ?? null
    return typeof dim === 'number' ? e.ints([dim]) : e.one('Shape', [value], { start: { int: axis }, end: { int: axis + 1 } })
  }

  function shapeOf(value: string): string {
    const shape = e.known(value).shape
    const numbers = shape?.filter((dim) => typeof dim === 'number')
    return numbers !== undefined && numbers.length === shape?.length ? e.ints(numbers) : e.one('Shape', [value])
  }

  function reshape(x: string, parts: readonly Part[]): string {
    const sizes = parts.map((part) => (typeof part === 'number' ? part : e.shape(part[0])[part[1]] ?? null))
    const own = e.known(x).shape
    if (own !== null && isSame(own, sizes)) return x
    const open = sizes.flatMap((dim, axis) => (typeof dim === 'number' ? [] : [axis]))
    const [first] = open
    if (open.length === 0 || (open.length === 1 && first !== undefined && !sizes.includes(-1) && !sizes.includes(0))) {
      return e.one('Reshape', [x, e.ints(sizes.map((dim) => (typeof dim === 'number' ? dim : -1)))])
    }
    const pieces = parts.map((part) => (typeof part === 'number' ? e.ints([part]) : size(part[0], part[1])))
    return e.one('Reshape', [x, e.one('Concat', pieces, { axis: { int: 0 } })])
  }

  function reduce(op: 'ReduceSum' | 'ReduceMean', x: string, axes: readonly number[] | undefined, keep: boolean): string {
    if (axes?.length === 0) return x
    return e.one(op, axes === undefined ? [x] : [x, e.ints(axes)], { keepdims: { int: keep ? 1 : 0 } })
  }

  /** Axes found while running: those of size 1 in `like` and not in `gradient`. */
  function unbroadcastComputed(gradient: string, like: string): string {
    const [from, to] = [e.shape(gradient).length, e.shape(like).length]
    const leading = Array.from({ length: from - to }, (_, axis) => axis)
    const summed = reduce('ReduceSum', gradient, leading, false)
    const isRepeated = e.one('And', [e.one('Equal', [shapeOf(like), e.ints([1])]), e.one('Not', [e.one('Equal', [e.one('Shape', [summed]), e.ints([1])])])])
    const axes = e.one('Reshape', [e.one('NonZero', [isRepeated]), e.ints([-1])])
    return e.one('Reshape', [e.one('ReduceSum', [summed, axes], { keepdims: { int: 1 }, noop_with_empty_axes: { int: 1 } }), shapeOf(like)])
  }

  function unbroadcast(gradient: string, like: string): string {
    const [from, to] = [e.shape(gradient), e.shape(like)]
    if (isSame(from, to)) return gradient
    const leading = from.length - to.length
    const isOpen = to.some((dim, axis) => {
      const given = from[axis + leading] ?? null
      return dim !== 1 && !same(dim, given) && !(typeof dim === 'number' && dim > 1)
    })
    if (isOpen) return unbroadcastComputed(gradient, like)
    const gone = Array.from({ length: leading }, (_, axis) => axis)
    const repeated = to.flatMap((dim, axis) => (dim === 1 && from[axis + leading] !== 1 ? [axis + leading] : []))
    if (repeated.length === 0) return reduce('ReduceSum', gradient, gone, false)
    return reshapeLike(reduce('ReduceSum', gradient, [...gone, ...repeated], leading === 0), like)
  }

  function reshapeLike(x: string, like: string): string {
    const shape = e.known(like).shape
    if (shape === null) return e.one('Reshape', [x, e.one('Shape', [like])])
    const own = e.known(x).shape
    if (own !== null && isSame(own, shape)) return x
    const open = shape.filter((dim) => typeof dim !== 'number').length
    if (open > 1) return e.one('Reshape', [x, e.one('Shape', [like])])
    return reshape(x, shape.map((dim, axis): Part => (typeof dim === 'number' ? dim : [like, axis])))
  }

  function transpose(x: string, order: readonly number[]): string {
    return order.every((axis, index) => axis === index) ? x : e.one('Transpose', [x], { perm: { ints: order } })
  }

  function scalar(value: number, x: string): string {
    return e.floats(value, x)
  }

  return {
    ...e,
    add: (a, b) => e.one('Add', [a, b]),
    sub: (a, b) => e.one('Sub', [a, b]),
    mul,
    div: (a, b) => (constantOf(b) === 1 ? a : e.one('Div', [a, b])),
    neg: (x) => e.one('Neg', [x]),
    scalar,
    scale: (x, factor) => (factor === -1 ? e.one('Neg', [x]) : mul(x, scalar(factor, x))),
    unary: (op, x) => e.one(op, [x]),
    compare: (op, a, b) => e.one(op, [a, b]),
    where: (condition, a, b) => e.one('Where', [condition, a, b]),
    cast: (x, type) => (e.type(x) === type ? x : e.one('Cast', [x], { to: { int: dataTypes.indexOf(type) } })),
    matmul: (a, b) => e.one('MatMul', [a, b]),
    sum: (x, axes, keep = false) => reduce('ReduceSum', x, axes, keep),
    mean: (x, axes, keep = true) => reduce('ReduceMean', x, axes, keep),
    transpose,
    swap(x) {
      const last = e.shape(x).length - 1
      return transpose(x, e.shape(x).map((_, axis) => (axis === last ? last - 1 : axis === last - 1 ? last : axis)))
    },
    size,
    shapeOf,
    reshape,
    reshapeLike,
    unsqueeze: (x, axes) => (axes.length === 0 ? x : e.one('Unsqueeze', [x, e.ints(axes)])),
    squeeze: (x, axes) => (axes.length === 0 ? x : e.one('Squeeze', [x, e.ints(axes)])),
    expandLike(x, like) {
      const [own, wanted] = [e.known(x).shape, e.known(like).shape]
      return own !== null && wanted !== null && isSame(own, wanted) ? x : e.one('Expand', [x, shapeOf(like)])
    },
    zerosLike: (value) => e.one('Expand', [scalar(0, value), shapeOf(value)]),
    slice: (x, axis, start, end) => e.one('Slice', [x, e.ints([start]), e.ints([end]), e.ints([axis])]),
    unbroadcast,
    rank: (x) => e.shape(x).length,
  }
}
