/** @file y = −x: dx = −dy */
import type { Rule } from '../rule.ts'

export const neg: Rule = (g, { dy }) => [() => g.neg(dy)]
