/** @file Shapes of convolutions, poolings and resizing: x is [n, channels, …spatial]. */
import { add, ceilDivide, floorDivide, multiply } from './dimension.ts'
import type { Dimension } from '../graph.ts'
import type { Known, NodeView, ShapeRule } from './rule.ts'

export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** All begins, then all ends. */
  readonly pads: readonly number[]
}

/** The window attributes of a convolution or pooling over `kernel`, defaults filled in. */
export function windowOf(view: NodeView, kernel: readonly number[]): Window {
  const ones = kernel.map(() => 1)
  return { kernel, strides: view.ints('strides') ?? ones, dilations: view.ints('dilations') ?? ones, pads: view.ints('pads') ?? [...ones, ...ones].map(() => 0) }
}

/** floor or ceil of (size + pads − reach) / stride, plus 1, where reach = dilation·(kernel − 1) + 1. */
function slidden(size: Dimension, axis: number, { kernel, strides, dilations, pads }: Window, mode: string, isCeil: boolean): Dimension {
  const stride = strides[axis] ?? 1
  const reach = (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1
  if (mode.startsWith('SAME')) return ceilDivide(size, stride)
  const [begin, end] = mode === 'VALID' ? [0, 0] : [pads[axis] ?? 0, pads[axis + kernel.length] ?? 0]
  const room = add(size, begin + end - reach)
  if (!isCeil) return add(floorDivide(room, stride), 1)
  const count = add(ceilDivide(room, stride), 1)
  // A window that would begin in the padding after the end is left out.
  return typeof count === 'number' && typeof size === 'number' && (count - 1) * stride >= size + begin ? count - 1 : count
}

function spatial(view: NodeView, x: Known, window: Window, isCeil: boolean): Dimension[] {
  return (x.shape ?? []).slice(2).map((size, axis) => slidden(size, axis, window, view.text('auto_pad', 'NOTSET'), isCeil))
}

function numbers(values: readonly Dimension[]): number[] {
  return values.map((value) => (typeof value === 'number' ? value : 0))
}

export const conv: ShapeRule = (view) => {
  const [x, weight] = [view.input(0), view.input(1)]
  const kernel = view.ints('kernel_shape') ?? (weight.shape === null ? null : numbers(weight.shape.slice(2)))
  if (x.shape === null || kernel === null) return [{ type: x.type, shape: null }]
  return [{ type: x.type, shape: [x.shape[0] ?? null, weight.shape?.[0] ?? null, ...spatial(view, x, windowOf(view, kernel), false)] }]
}

export const convTranspose: ShapeRule = (view) => {
  const [x, weight] = [view.input(0), view.input(1)]
  const kernel = view.ints('kernel_shape') ?? (weight.shape === null ? null : numbers(weight.shape.slice(2)))
  if (x.shape === null || kernel === null) return [{ type: x.type, shape: null }]
  const { strides, dilations, pads } = windowOf(view, kernel)
  const extra = view.ints('output_padding') ?? []
  const given = view.ints('output_shape')
  const sizes = x.shape.slice(2).map((size, axis) => {
    if (given !== null) return given[given.length - kernel.length + axis] ?? null
    const stride = strides[axis] ?? 1
    if (view.text('auto_pad', 'NOTSET').startsWith('SAME')) return multiply(size, stride)
    const reach = (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1
    return add(multiply(add(size, -1), stride), reach + (extra[axis] ?? 0) - (pads[axis] ?? 0) - (pads[axis + kernel.length] ?? 0))
  })
  return [{ type: x.type, shape: [x.shape[0] ?? null, multiply(weight.shape?.[1] ?? null, view.int('group', 1)), ...sizes] }]
}

/** x: [n, in, …], dy: [n, out, …] → weight [out, in / group, …kernel]. */
export const convWeightGradient: ShapeRule = (view) => {
  const [x, dy] = [view.input(0), view.input(1)]
  const kernel = view.ints('kernel_shape') ?? []
  return [{ type: x.type, shape: [dy.shape?.[1] ?? null, floorDivide(x.shape?.[1] ?? null, view.int('group', 1)), ...kernel] }]
}

export const pool: ShapeRule = (view) => {
  const x = view.input(0)
  const kernel = view.ints('kernel_shape') ?? []
  const shape = x.shape === null ? null : [...x.shape.slice(0, 2), ...spatial(view, x, windowOf(view, kernel), view.int('ceil_mode', 0) === 1)]
  return [{ type: x.type, shape }, { type: 'int64', shape }]
}

export const globalPool: ShapeRule = (view) => {
  const x = view.input(0)
  return [{ type: x.type, shape: x.shape?.map((size, axis) => (axis < 2 ? size : 1)) ?? null }]
}

/** By `sizes` (input 3) or `scales` (input 2), of all axes or of those in `axes`. */
export const resize: ShapeRule = (view) => {
  const x = view.input(0)
  if (x.shape === null) return [{ type: x.type, shape: null }]
  const [scales, sizes] = [view.elements(2), view.elements(3)]
  const axes = view.ints('axes')?.map((axis) => (axis < 0 ? axis + (x.shape?.length ?? 0) : axis)) ?? x.shape.map((_, axis) => axis)
  const shape = x.shape.map((size, axis) => {
    const index = axes.indexOf(axis)
    if (index < 0) return size
    if (sizes !== null && sizes.length > 0) return sizes[index] ?? null
    const scale = scales?.[index] ?? null
    if (scale === 1) return size
    if (typeof scale === 'number' && typeof size === 'number') return Math.floor(size * scale)
    return Number.isInteger(scale) ? multiply(size, scale) : null
  })
  return [{ type: x.type, shape }]
}
