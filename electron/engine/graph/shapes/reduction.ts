/** @file Shapes of reductions. Axes are an input (an attribute before opset 18); without them all axes are reduced, or none where the node says so. */
import { axisOf, type ShapeRule, type ShapeView } from './rule.ts'
import { product } from './dimension.ts'
import type { Dimension } from '../graph.ts'

/** The axes a reduction runs over; null where they are computed. */
export function reducedAxes(view: ShapeView): readonly number[] | null {
  const { shape } = view.input(0)
  if (shape === null) return null
  const given = view.gives(1, 'axes') ? view.numbers(1, 'axes') : []
  if (given === null) return null
  if (given.length > 0) return given.map((axis) => axisOf(axis, shape.length, view.where))
  return view.int('noop_with_empty_axes', 0) === 1 ? [] : shape.map((_, axis) => axis)
}

function reducedShape(shape: readonly Dimension[], axes: readonly number[], keep: boolean): Dimension[] {
  return shape.map((size, axis) => (axes.includes(axis) ? 1 : size)).filter((_, axis) => keep || !axes.includes(axis))
}

export const reduce: ShapeRule = (view) => {
  const { type, shape, elements } = view.input(0)
  const axes = reducedAxes(view)
  const keep = view.int('keepdims', 1) === 1
  if (shape === null) return [{ type, shape: null }]
  if (axes === null) {
    // Axes that are computed: of a kept rank the sizes are unknown, else the rank is.
    return [{ type, shape: keep ? shape.map((size) => (size === 1 ? 1 : null)) : null }]
  }
  const whole = view.node.op === 'ReduceProd' && elements !== undefined ? [product(elements)] : undefined
  return [{ type, shape: reducedShape(shape, axes, keep), elements: whole }]
}

export const argument: ShapeRule = (view) => {
  const { shape } = view.input(0)
  const found = shape === null ? null : reducedShape(shape, [axisOf(view.int('axis', 0), shape.length, view.where)], view.int('keepdims', 1) === 1)
  return [{ type: 'int64', shape: found }]
}

/** Values and indices: k elements along the axis. */
export const topK: ShapeRule = (view) => {
  const { type, shape } = view.input(0)
  const count = view.elements(1)?.[0] ?? (view.has('k') ? view.int('k', 0) : null)
  const axis = shape === null ? 0 : axisOf(view.int('axis', -1), shape.length, view.where)
  const found = shape?.map((size, index) => (index === axis ? count : size)) ?? null
  return [{ type, shape: found }, { type: 'int64', shape: found }]
}

/** Y, and the mean and inverse deviation of each row where they are asked for. */
export const normalized: ShapeRule = (view) => {
  const { type, shape } = view.input(0)
  const axis = shape === null ? 0 : axisOf(view.int('axis', -1), shape.length, view.where)
  const rows = shape?.map((size, index) => (index >= axis ? 1 : size)) ?? null
  return [{ type, shape }, { type: 'float32', shape: rows }, { type: 'float32', shape: rows }]
}
