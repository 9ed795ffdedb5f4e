/** @file A layer's weight as dense float32 [out, in], whatever way the initializer holds it, and back again. */
import { kernels } from '../../../kernels/kernels.ts'
import { elementCount } from '../graph/element.ts'
import { initializerBytes, initializerTensor } from '../graph/tensor.ts'
import type { GraphLayer } from './layers.ts'

/** Rows and columns exchanged: [rows, cols] → [cols, rows]. */
export function transposed<T extends Float32Array | Uint8Array | Uint16Array>(values: T, rows: number, cols: number): T {
  const out = values.slice() as T
  for (let row = 0; row < rows; row++) for (let col = 0; col < cols; col++) out[col * rows + row] = values[row * cols + col]
  return out
}

/** The weight of a layer, [out, in]. */
export async function readLayer({ initializer, layout, shape: [rows, cols] }: GraphLayer): Promise<Float32Array> {
  const dense = await floatsOf(initializer)
  return layout === 'out-in' ? dense : transposed(dense, cols, rows)
}

async function floatsOf(initializer: GraphLayer['initializer']): Promise<Float32Array> {
  if (initializer.type === 'float16') {
    const out = new Float32Array(elementCount(initializer.dims))
    await kernels().decode('F16', { rows: 1, cols: out.length }, await initializerBytes(initializer), out)
    return out
  }
  const { data } = await initializerTensor(initializer)
  return data instanceof Float32Array ? data : Float32Array.from(data, Number)
}

/** Dense [out, in] in the layout of the layer's initializer. */
export function toLayout({ layout, shape: [rows, cols] }: Pick<GraphLayer, 'layout' | 'shape'>, dense: Float32Array): Float32Array {
  return layout === 'out-in' ? dense : transposed(dense, rows, cols)
}
