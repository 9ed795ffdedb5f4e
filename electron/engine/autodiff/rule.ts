/** @file What a gradient rule is given and gives back. */
import type { Algebra } from '../graph/algebra.ts'
import type { NodeView } from '../graph/shapes/rule.ts'

export interface RuleNode extends NodeView {
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** Gradient with respect to the first output; where only others have one, zeros. */
  readonly dy: string
  /** Gradient with respect to each output, null where none flows in. */
  readonly dys: readonly (string | null)[]
}

/**
 * Writes the gradient of a node: one function per input, called only where that gradient is wanted; null where the result
 * does not depend smoothly on the input (indices, shapes). `g` writes into the graph being made.
 */
export type Rule = (g: Algebra, node: RuleNode) => readonly ((() => string) | null)[]
