/** @file y = x: dx = dy */
import type { Rule } from '../rule.ts'

export const identity: Rule = (_g, { dy }) => [() => dy]
