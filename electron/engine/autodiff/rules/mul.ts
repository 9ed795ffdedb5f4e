/** @file y = a b: da = dy b, db = dy a, summed where broadcast. */
import type { Rule } from '../rule.ts'

export const mul: Rule = (g, { inputs: [a, b], dy }) => [() => g.unbroadcast(g.mul(dy, b), a), () => g.unbroadcast(g.mul(dy, a), b)]
