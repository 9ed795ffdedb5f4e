/** @file y = a − b: da = dy, db = −dy, summed where broadcast. */
import type { Rule } from '../rule.ts'

export const sub: Rule = (g, { inputs: [a, b], dy }) => [() => g.unbroadcast(dy, a), () => g.neg(g.unbroadcast(dy, b))]
