/** @file y = x repeated rᵢ times along axis i: dx = dy as [r₀, d₀, r₁, d₁, …] summed over every rᵢ. */
import { AppError } from '../../../contract/errors.ts'
import type { Rule } from '../rule.ts'
import type { Part } from '../../graph/algebra.ts'

export const tile: Rule = (g, { inputs: [x, repeats], dy, where }) => [() => {
  const times = g.numbers(repeats)
  if (times === null) {
    throw new AppError('unsupported-operator', `${where}: found repeats that are computed, expected constants`, { hint: 'Export the model with fixed input sizes, or freeze what is before this node.' })
  }
  const parts = times.flatMap((count, axis): Part[] => (count === 1 ? [[x, axis]] : [count, [x, axis]]))
  const summed = parts.flatMap((part, index) => (typeof part === 'number' ? [index] : []))
  return g.reshapeLike(g.sum(g.reshape(dy, parts), summed), x)
}, null]
