/** @file What a rewriting to the canonical set is given and gives back. */
import type { Algebra } from '../algebra.ts'
import type { Attributes } from '../builder.ts'
import type { NodeView } from '../shapes/rule.ts'

/** A node being rewritten; its inputs are those of the graph being written. `version` is that of the file. */
export interface FormNode extends NodeView {
  readonly inputs: readonly string[]
}

/** Writes a node in canonical form and returns its outputs; null leaves it as it is. */
export type Form = (g: Algebra, node: FormNode) => readonly string[] | null

/** The node's attributes without some. */
export function without(node: FormNode, ...names: readonly string[]): Attributes {
  return Object.fromEntries(Object.entries(node.node.attributes).filter(([name]) => !names.includes(name)))
}

/** A single output made by a formula of the first input. */
export function formula(write: (g: Algebra, x: string, node: FormNode) => string): Form {
  return (g, node) => [write(g, node.inputs[0], node)]
}
