/** @file Shapes of operators applied element by element. Small integers (shapes being computed) are carried along. */
import { add, broadcast, divide, floorDivide, multiply, subtract } from './dimension.ts'
import type { Dimension } from '../graph.ts'
import type { Known, ShapeRule, ShapeView } from './rule.ts'

type Arithmetic = (a: Dimension, b: Dimension) => Dimension

/** Same type and shape as the first input. */
export const likeFirst: ShapeRule = (view) => [{ type: view.input(0).type, shape: view.input(0).shape }]

/** Same type, shape and numbers as the first input. */
export const passing: ShapeRule = (view) => view.node.outputs.map((_, index) => (index === 0 ? view.input(0) : { type: 'bool', shape: view.input(0).shape }))

export const test: ShapeRule = (view) => [{ type: 'bool', shape: view.input(0).shape }]

function shared(view: ShapeView): Known['shape'] {
  return broadcast(view.inputs.map((input) => input?.shape ?? null), view.where)
}

export const comparison: ShapeRule = (view) => [{ type: 'bool', shape: shared(view) }]

export const variadic: ShapeRule = (view) => [{ type: view.input(0).type, shape: shared(view) }]

export const where: ShapeRule = (view) => [{ type: view.input(1).type, shape: shared(view) }]

function combine(view: ShapeView, operation: Arithmetic): readonly Dimension[] | undefined {
  const [a, b] = [view.elements(0), view.elements(1)]
  if (a === null || b === null || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return undefined
  const count = Math.max(a.length, b.length)
  const pick = (list: readonly Dimension[], index: number): Dimension => list[list.length === 1 ? 0 : index] ?? null
  return Array.from({ length: count }, (_, index) => operation(pick(a, index), pick(b, index)))
}

/** Two operands; `operation` tells what becomes of small numbers known. */
function binary(operation: Arithmetic): ShapeRule {
  return (view) => [{ type: view.input(0).type, shape: shared(view), elements: combine(view, operation) }]
}

const isWhole = (view: ShapeView): boolean => view.input(0).type.includes('int')

export const adding = binary(add)
export const subtracting = binary(subtract)
export const multiplying = binary(multiply)
export const power: ShapeRule = (view) => [{ type: view.input(0).type, shape: shared(view) }]
/** Whole numbers are cut off, others divided; sizes are never negative. */
export const dividing: ShapeRule = (view) =>
  binary(isWhole(view) ? floorDivide : (a, b) => (typeof a === 'number' && typeof b === 'number' ? a / b : divide(a, b)))(view)

/** Rounding of small numbers, as exported models do to compute sizes. */
function rounding(round: (value: number) => number): ShapeRule {
  return (view) => [{ ...view.input(0), elements: view.input(0).elements?.map((value) => (typeof value === 'number' ? round(value) : null)) }]
}
export const flooring = rounding(Math.floor)
export const ceiling = rounding(Math.ceil)
export const negating = rounding((value) => -value)

export const equal: ShapeRule = (view) => [{ type: 'bool', shape: shared(view), elements: combine(view, (a, b) => (a === null || b === null ? null : a === b ? 1 : typeof a === 'number' && typeof b === 'number' ? 0 : null)) }]

/** Where over small numbers: exported Expand and Reshape targets pick 1 in place of −1 so. */
export const choosing: ShapeRule = (view) => {
  const [found] = where(view)
  const [condition, yes, no] = [view.elements(0), view.elements(1), view.elements(2)]
  if (found === undefined || condition === null || yes === null || no === null) return found === undefined ? [] : [found]
  const count = Math.max(condition.length, yes.length, no.length)
  const pick = (list: readonly Dimension[], index: number): Dimension => list[list.length === 1 ? 0 : index] ?? null
  const elements = Array.from({ length: count }, (_, index) => {
    const chosen = pick(condition, index)
    return chosen === null ? null : pick(chosen === 0 ? no : yes, index)
  })
  return [{ ...found, elements }]
}
