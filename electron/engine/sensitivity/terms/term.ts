/** @file What one sample's gradient says of an error of a layer. */

export interface Term {
  /** Of g and Δ, both [rows, cols]: g is the gradient of a mean over `predictions`. */
  readonly of: (gradient: Float32Array, error: Float32Array, cols: number, predictions: number) => number
  /** In a word or two, for tables and screens. */
  readonly unit: string
}
