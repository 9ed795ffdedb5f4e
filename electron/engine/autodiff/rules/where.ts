/** @file y = condition ? a : b: dy goes to the one chosen. */
import type { Rule } from '../rule.ts'

export const where: Rule = (g, { inputs: [condition, a, b], dy }) => [
  null,
  () => g.unbroadcast(g.where(condition, dy, g.scalar(0, dy)), a),
  () => g.unbroadcast(g.where(condition, g.scalar(0, dy), dy), b),
]
