/** @file y = a + b + …: each gets dy, summed where it was broadcast. */
import type { Rule } from '../rule.ts'

export const sum: Rule = (g, { inputs, dy }) => inputs.map((input) => () => g.unbroadcast(dy, input))
