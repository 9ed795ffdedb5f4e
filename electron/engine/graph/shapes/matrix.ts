/** @file Shapes of matrix products. */
import { AppError } from '../../../contract/errors.ts'
import { broadcast, broadcastDimension } from './dimension.ts'
import { operands } from './einsum.ts'
import type { Dimension } from '../graph.ts'
import type { ShapeRule } from './rule.ts'

function inner(a: Dimension, b: Dimension, where: string): void {
  if (typeof a === 'number' && typeof b === 'number' && a !== b) throw new AppError('bad-shape', `${where}: found inner sizes ${a} and ${b}, expected equal ones`)
}

/** a: [..., m, k], b: [..., k, n] → [..., m, n]; vectors lose their axis. */
export const matmul: ShapeRule = (view) => {
  const [a, b] = [view.input(0), view.input(1)]
  if (a.shape === null || b.shape === null) return [{ type: a.type, shape: null }]
  const left: readonly Dimension[] = a.shape.length === 1 ? [1, ...a.shape] : a.shape
  const right: readonly Dimension[] = b.shape.length === 1 ? [...b.shape, 1] : b.shape
  inner(left[left.length - 1] ?? null, right[right.length - 2] ?? null, view.where)
  const batch = broadcast([left.slice(0, -2), right.slice(0, -2)], view.where) ?? []
  const rows = a.shape.length === 1 ? [] : [left[left.length - 2] ?? null]
  const columns = b.shape.length === 1 ? [] : [right[right.length - 1] ?? null]
  return [{ type: a.type, shape: [...batch, ...rows, ...columns] }]
}

/** Two-dimensional, with transposition by attribute. */
export const gemm: ShapeRule = (view) => {
  const [a, b] = [view.input(0), view.input(1)]
  const [left, right] = [a.shape ?? [null, null], b.shape ?? [null, null]]
  const [transA, transB] = [view.int('transA', 0), view.int('transB', 0)]
  inner(left[transA === 0 ? 1 : 0] ?? null, right[transB === 0 ? 0 : 1] ?? null, view.where)
  return [{ type: a.type, shape: [left[transA === 0 ? 0 : 1] ?? null, right[transB === 0 ? 1 : 0] ?? null] }]
}

export const einsum: ShapeRule = (view) => {
  const shapes = view.inputs.map((input) => input?.shape ?? null)
  const { type } = view.input(0)
  const parsed = operands(view.text('equation', ''), shapes.map((shape) => shape?.length ?? null), view.where)
  if (parsed === null) return [{ type, shape: null }]
  const sizes = new Map<string, Dimension>()
  parsed.inputs.forEach((labels, index) => labels.forEach((label, axis) => {
    const size = shapes[index]?.[axis] ?? null
    sizes.set(label, sizes.has(label) ? broadcastDimension(sizes.get(label) ?? null, size, view.where) : size)
  }))
  return [{ type, shape: parsed.output.map((label) => sizes.get(label) ?? null) }]
}

/** a: [..., in], codes [out, bytes] → [..., out]; the backward form takes [..., out] to [..., in]. */
export const quantizedMatmul: ShapeRule = (view) => {
  const a = view.input(0)
  const size = view.int('backward', 0) === 0 ? view.input(1).shape?.[0] ?? null : view.int('K', 0)
  return [{ type: a.type, shape: a.shape === null ? null : [...a.shape.slice(0, -1), size] }]
}

/** a, dy, codes, scales → the shape of the scales. */
export const scaleGradient: ShapeRule = (view) => [{ type: 'float32', shape: view.input(3).shape }]
