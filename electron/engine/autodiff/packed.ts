/** @file The attributes by which the operators on packed weights know their format. */
import type { Attributes } from '../graph/builder.ts'
import type { RuleNode } from './rule.ts'

export function packedFormat({ node: { attributes } }: RuleNode): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== 'backward'))
}
