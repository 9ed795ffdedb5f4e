/** @file Small ONNX models for the tests of sessions and operators. */
import { createBuilder, type Builder } from '../../electron/engine/graph/builder.ts'
import { encodeModel } from '../../electron/engine/graph/encode.ts'
import type { Tensor } from '../kernels.ts'

/** Bytes of the model that `write` builds. Opset 25 is the first with every element type. */
export function model(write: (builder: Builder) => void): Uint8Array {
  const builder = createBuilder({ '': 25, 'com.microsoft': 1, halftone: 1 })
  write(builder)
  return encodeModel(builder.build('test'))
}

export function float32(dims: readonly number[], values: ArrayLike<number>): Tensor & { data: Float32Array } {
  return { type: 'float32', dims, data: Float32Array.from(values) }
}
