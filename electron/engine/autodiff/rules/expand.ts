/** @file y = x repeated by broadcasting: dx = dy summed over the repetitions. */
import type { Rule } from '../rule.ts'

export const expand: Rule = (g, { inputs: [x], dy }) => [() => g.unbroadcast(dy, x), null]
