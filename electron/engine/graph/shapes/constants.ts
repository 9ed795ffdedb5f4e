/** @file Shapes of operators that make constants, or numbers from shapes. */
import { dataTypes } from '../../../../kernels/kernels.ts'
import { elementCount } from '../element.ts'
import { floorDivide, product, subtract } from './dimension.ts'
import { axisOf, type ShapeRule } from './rule.ts'

export const shape: ShapeRule = (view) => {
  const { shape: found } = view.input(0)
  if (found === null) return [{ type: 'int64', shape: [null] }]
  const clip = (value: number): number => Math.min(found.length, Math.max(0, value < 0 ? value + found.length : value))
  const part = found.slice(clip(view.int('start', 0)), clip(view.int('end', found.length)))
  return [{ type: 'int64', shape: [part.length], elements: part }]
}

export const size: ShapeRule = (view) => {
  const { shape: found } = view.input(0)
  return [{ type: 'int64', shape: [], elements: found === null ? undefined : [product(found)] }]
}

export const constant: ShapeRule = (view) => {
  const { value, value_int, value_ints, value_float, value_floats } = view.node.attributes
  if (value !== undefined && 'tensor' in value) return [{ type: value.tensor.type, shape: value.tensor.dims }]
  if (value_int !== undefined && 'int' in value_int) return [{ type: 'int64', shape: [], elements: [value_int.int] }]
  if (value_ints !== undefined && 'ints' in value_ints) return [{ type: 'int64', shape: [value_ints.ints.length], elements: value_ints.ints }]
  if (value_floats !== undefined && 'floats' in value_floats) return [{ type: 'float32', shape: [value_floats.floats.length] }]
  return [{ type: value_float === undefined ? 'string' : 'float32', shape: [] }]
}

/** Filled vectors this long at most are carried as numbers. */
const ELEMENTS_MAX = 64

export const constantOfShape: ShapeRule = (view) => {
  const dims = view.elements(0)
  const { value } = view.node.attributes
  const tensor = value !== undefined && 'tensor' in value ? value.tensor : null
  const numbers = view.numbers(0)
  const isInteger = tensor?.type === 'int64' && tensor.data instanceof Uint8Array
  const filling = isInteger && tensor.data instanceof Uint8Array ? Number(new DataView(tensor.data.buffer, tensor.data.byteOffset).getBigInt64(0, true)) : null
  const count = numbers === null ? null : elementCount(numbers)
  const rank = view.inputs[0]?.shape?.[0]
  return [{
    type: tensor?.type ?? 'float32',
    shape: dims ?? (typeof rank === 'number' ? Array.from({ length: rank }, () => null) : null),
    elements: filling !== null && count !== null && count <= ELEMENTS_MAX ? Array.from({ length: count }, () => filling) : undefined,
  }]
}

export const range: ShapeRule = (view) => {
  const { type } = view.input(0)
  const [start, limit, step] = [view.elements(0)?.[0] ?? null, view.elements(1)?.[0] ?? null, view.elements(2)?.[0] ?? null]
  if (typeof start === 'number' && typeof limit === 'number' && typeof step === 'number' && step !== 0) {
    const count = Math.max(0, Math.ceil((limit - start) / step))
    return [{ type, shape: [count], elements: count <= ELEMENTS_MAX ? Array.from({ length: count }, (_, index) => start + index * step) : undefined }]
  }
  const isCount = step === 1 && type.startsWith('int')
  return [{ type, shape: [isCount ? subtract(limit, start) : typeof step === 'number' ? floorDivide(null, step) : null] }]
}

export const oneHot: ShapeRule = (view) => {
  const { shape: indices } = view.input(0)
  const depth = view.elements(1)?.[0] ?? null
  if (indices === null) return [{ type: view.input(2).type, shape: null }]
  const axis = axisOf(view.int('axis', -1), indices.length + 1, view.where)
  return [{ type: view.input(2).type, shape: [...indices.slice(0, axis), depth, ...indices.slice(axis)] }]
}

export const nonZero: ShapeRule = (view) => [{ type: 'int64', shape: [view.input(0).shape?.length ?? null, null] }]

export const eyeLike: ShapeRule = (view) => [{ type: view.has('dtype') ? dataTypes[view.int('dtype', 1)] ?? 'float32' : view.input(0).type, shape: view.input(0).shape }]
