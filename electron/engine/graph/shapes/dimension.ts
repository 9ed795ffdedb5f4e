/**
 * @file Arithmetic of dimensions that may be symbols. A symbol is text; products are kept as `4*batch*heads` with sorted
 * factors, everything else as one factor in parentheses, so that equal sizes are equal text. Null: nothing is known.
 */
import { AppError } from '../../../contract/errors.ts'
import type { Dimension } from '../graph.ts'

/** Longer expressions say nothing any more. */
const TEXT_MAX = 160

interface Product {
  readonly count: number
  readonly factors: readonly string[]
}

function parse(value: number | string): Product {
  if (typeof value === 'number') return { count: value, factors: [] }
  let depth = 0
  let start = 0
  const parts: string[] = []
  for (let index = 0; index <= value.length; index++) {
    const letter = value[index]
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (letter === undefined || (letter === '*' && depth === 0)) {
      parts.push(value.slice(start, index))
      start = index + 1
    }
  }
  const numbers = parts.filter((part) => /^-?\d+$/.test(part))
  return { count: numbers.reduce((product, part) => product * Number(part), 1), factors: parts.filter((part) => !numbers.includes(part)) }
}

function format({ count, factors }: Product): Dimension {
  if (factors.length === 0 || count === 0) return count
  const text = [...(count === 1 ? [] : [String(count)]), ...[...factors].sort()].join('*')
  return text.length > TEXT_MAX ? null : text
}

export function multiply(a: Dimension, b: Dimension): Dimension {
  if (a === 0 || b === 0) return 0
  if (a === null || b === null) return null
  const [left, right] = [parse(a), parse(b)]
  return format({ count: left.count * right.count, factors: [...left.factors, ...right.factors] })
}

export function product(values: readonly Dimension[]): Dimension {
  return values.reduce(multiply, 1)
}

/** a / b where it is known to be whole, else null. */
export function divide(a: Dimension, b: Dimension): Dimension {
  if (a === null || b === null) return null
  const [left, right] = [parse(a), parse(b)]
  const factors = [...left.factors]
  for (const factor of right.factors) {
    const index = factors.indexOf(factor)
    if (index < 0) return null
    factors.splice(index, 1)
  }
  if (right.count === 0 || left.count % right.count !== 0) return null
  return format({ count: left.count / right.count, factors })
}

/** The form `(x+3)` as x and 3. */
function terms(value: string): { base: string; offset: number } {
  const match = /^\((.*)([+-]\d+)\)$/.exec(value)
  const base = match?.[1]
  return base !== undefined && isBalanced(base) ? { base, offset: Number(match?.[2]) } : { base: value, offset: 0 }
}

function isBalanced(text: string): boolean {
  let depth = 0
  for (const letter of text) {
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (depth < 0) return false
  }
  return depth === 0
}

function atom(text: string): Dimension {
  return text.length > TEXT_MAX ? null : text
}

export function add(a: Dimension, b: Dimension): Dimension {
  if (a === null || b === null) return null
  if (typeof a === 'number') return typeof b === 'number' ? a + b : add(b, a)
  if (typeof b === 'number') {
    const { base, offset } = terms(a)
    const sum = offset + b
    return sum === 0 ? base : atom(`(${base}${sum < 0 ? '' : '+'}${sum})`)
  }
  const [left, right] = [parse(a), parse(b)]
  if (left.factors.join() === right.factors.join()) return format({ count: left.count + right.count, factors: left.factors })
  return atom(`(${[a, b].sort().join('+')})`)
}

export function subtract(a: Dimension, b: Dimension): Dimension {
  if (typeof b === 'number') return add(a, -b)
  if (a === null || b === null) return null
  if (a === b) return 0
  if (typeof a === 'string') {
    const [left, right] = [terms(a), terms(b)]
    if (left.base === right.base) return left.offset - right.offset
    const [whole, part] = [parse(a), parse(b)]
    if (whole.factors.join() === part.factors.join()) return format({ count: whole.count - part.count, factors: whole.factors })
  }
  return atom(`(${a}-${b})`)
}

export function floorDivide(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return b === 0 ? null : Math.floor(a / b)
  if (b === 1) return a
  const whole = divide(a, b)
  return whole !== null || a === null || b === null ? whole : atom(`(${a}//${b})`)
}

export function ceilDivide(a: Dimension, b: number): Dimension {
  if (typeof a === 'number') return Math.ceil(a / b)
  return divide(a, b) ?? floorDivide(add(a, b - 1), b)
}

/** Whether two sizes are certainly the same. */
export function same(a: Dimension, b: Dimension): boolean {
  return a !== null && a === b
}

/** The size of an axis that two values share by broadcasting. */
export function broadcastDimension(a: Dimension, b: Dimension, where: string): Dimension {
  if (a === 1) return b
  if (b === 1 || a === b) return a
  if (typeof a === 'number' && typeof b === 'number') throw new AppError('bad-shape', `${where}: found sizes ${a} and ${b} on one axis, expected equal sizes or 1`)
  if (typeof a === 'number') return a
  return typeof b === 'number' ? b : null
}

/** The shape of the result of broadcasting, aligned at the last axis. */
export function broadcast(shapes: readonly (readonly Dimension[] | null)[], where: string): Dimension[] | null {
  const known = shapes.filter((shape) => shape !== null)
  if (known.length < shapes.length) return null
  const rank = Math.max(0, ...known.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) =>
    known.reduce<Dimension>((size, shape) => {
      const index = axis - rank + shape.length
      return index < 0 ? size : broadcastDimension(size, shape[index] ?? null, where)
    }, 1))
}

/** All dimensions as numbers, or null. */
export function staticShape(shape: readonly Dimension[] | null): readonly number[] | null {
  if (shape === null) return null
  const numbers = shape.filter((dim) => typeof dim === 'number')
  return numbers.length === shape.length ? numbers : null
}
