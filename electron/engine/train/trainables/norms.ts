/** @file Weights (and biases) of the norms as trainables; they replace the checkpoint's. */
import { accumulate, type Trainable } from './trainable.ts'

/** Names of norms among a block's or the model's small tensors. */
export function isNorm(name: string): boolean {
  return /_norm(\.bias)?$/.test(name) && !name.startsWith('embedding')
}

/** A norm under its short name; `values` is what the graphs are fed. */
export function normTrainable(short: string, block: number | null, values: Float32Array): Trainable {
  const gradient = new Float32Array(values.length)
  return { name: block === null ? short : `blocks.${block}.${short}`, set: 'norms', block, values, gradient, decays: false, wrt: [short], pull: (gradients) => accumulate(gradient, gradients[short]) }
}
