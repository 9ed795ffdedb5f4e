/** @file Reshape, Flatten, Squeeze, Unsqueeze: dy in the shape of x. */
import type { Rule } from '../rule.ts'

export const reshape: Rule = (g, { inputs: [x], dy }) => [() => g.reshapeLike(dy, x), null]
