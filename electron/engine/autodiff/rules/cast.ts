/** @file y = x in another type: dx = dy in the type of x. */
import type { Rule } from '../rule.ts'

export const cast: Rule = (g, { inputs: [x], dy }) => [() => g.cast(dy, g.type(x))]
