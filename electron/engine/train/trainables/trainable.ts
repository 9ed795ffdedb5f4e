/** @file One array of numbers that is trained, and how gradients of the graphs become its own. */
import type { TrainableSet } from '../../../contract/training.ts'

export interface Trainable {
  /** `blocks.3.q.a`, `blocks.3.q.scales`, `final_norm`: the same in checkpoints. */
  readonly name: string
  readonly set: TrainableSet
  /** The block whose graph gives the gradient; null for the loss's. */
  readonly block: number | null
  readonly values: Float32Array
  /** Sum over the micro-batches of a step. */
  readonly gradient: Float32Array
  /** Whether weight decay applies. */
  readonly decays: boolean
  /** Inputs of the graph whose gradients it needs, by their short names. */
  readonly wrt: readonly string[]
  /** Adds the gradients of those inputs. Trainables are asked in their order. */
  readonly pull: (gradients: Readonly<Record<string, Float32Array>>) => void | Promise<void>
}

/** gradient += scale · addend */
export function accumulate(gradient: Float32Array, addend: Float32Array | undefined, scale = 1): void {
  if (addend?.length !== gradient.length) throw new Error(`a gradient of ${addend?.length ?? 0} numbers for ${gradient.length}`)
  for (let at = 0; at < gradient.length; at++) gradient[at] += scale * addend[at]
}
