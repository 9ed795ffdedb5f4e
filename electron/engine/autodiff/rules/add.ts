/** @file y = a + b: each gets dy, summed where it was broadcast. */
import type { Rule } from '../rule.ts'

export const add: Rule = (g, { inputs: [a, b], dy }) => [() => g.unbroadcast(dy, a), () => g.unbroadcast(dy, b)]
