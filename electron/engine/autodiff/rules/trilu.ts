/** @file y = the upper or lower triangle of x: dx = the same triangle of dy. */
import type { Rule } from '../rule.ts'

export const trilu: Rule = (g, { node, inputs: [, k = ''], dy }) => [() => g.one('Trilu', k === '' ? [dy] : [dy, k], node.attributes), null]
