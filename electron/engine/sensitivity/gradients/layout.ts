/** @file Between the layout a graph holds a weight in and the one layers are spoken of in, [out, in]. */
import type { Place, PlacedLayer } from '../differentiable.ts'

/** The transpose of `values` [rows, cols]. */
export function transposed(values: Float32Array, rows: number, cols: number): Float32Array {
  const out = new Float32Array(values.length)
  for (let row = 0; row < rows; row++) for (let col = 0; col < cols; col++) out[col * rows + row] = values[row * cols + col]
  return out
}

/** Values of a place as [out, in]; the same array where the graph holds it so. */
export function asLayer(values: Float32Array, { layout }: Place, { shape: [rows, cols] }: PlacedLayer): Float32Array {
  return layout === 'out-in' ? values : transposed(values, cols, rows)
}

/** Values [out, in] as a place holds them. */
export function asPlace(values: Float32Array, { layout }: Place, { shape: [rows, cols] }: PlacedLayer): Float32Array {
  return layout === 'out-in' ? values : transposed(values, rows, cols)
}

/** Σ a·b, in double. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += a[index] * b[index]
  return sum
}
