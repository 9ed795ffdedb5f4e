/** @file Shapes of operators that take elements by index. */
import { axisOf, type ShapeRule } from './rule.ts'

export const gather: ShapeRule = (view) => {
  const [data, indices] = [view.input(0), view.input(1)]
  if (data.shape === null || indices.shape === null) return [{ type: data.type, shape: null }]
  const axis = axisOf(view.int('axis', 0), data.shape.length, view.where)
  const shape = [...data.shape.slice(0, axis), ...indices.shape, ...data.shape.slice(axis + 1)]
  const { elements } = data
  const places = view.numbers(1)
  const picked = elements === undefined || places === null || data.shape.length !== 1 ? undefined : places.map((place) => elements[place < 0 ? place + elements.length : place] ?? null)
  return [{ type: data.type, shape, elements: picked }]
}

export const gatherElements: ShapeRule = (view) => [{ type: view.input(0).type, shape: view.input(1).shape }]

export const gatherND: ShapeRule = (view) => {
  const [data, indices] = [view.input(0), view.input(1)]
  const depth = indices.shape?.[indices.shape.length - 1] ?? null
  if (data.shape === null || indices.shape === null || typeof depth !== 'number') return [{ type: data.type, shape: null }]
  return [{ type: data.type, shape: [...indices.shape.slice(0, -1), ...data.shape.slice(view.int('batch_dims', 0) + depth)] }]
}
