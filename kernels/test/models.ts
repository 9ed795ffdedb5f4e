/** @file Small ONNX models for the tests of sessions and operators. */
import { createBuilder, type Builder } from '../../electron/engine/graph/builder.ts'
import { encodeModel } from '../../electron/engine/graph/encode.ts'
import type { Graph } from '../../electron/engine/graph/graph.ts'
import type { Tensor } from '../kernels.ts'

/** Bytes of the model that `write` builds. Opset 25 is the first with every element type. */
export function model(write: (builder: Builder) => void): Uint8Array {
  const builder = createBuilder({ '': 25, 'com.microsoft': 1, halftone: 1 })
  write(builder)
  return encodeModel(builder.build('test'))
}

/** y = x doubled `times` times, in one Loop: with the feeds below only cancelling ends it in reasonable time. */
export function endlessModel(): Uint8Array {
  const body: Graph = {
    name: 'body', opset: {}, initializers: new Map(), values: new Map(), metadata: {},
    inputs: [{ name: 'i', type: 'int64', shape: [] }, { name: 'go', type: 'bool', shape: [] }, { name: 'state', type: 'float32', shape: [1] }],
    outputs: [{ name: 'go_on', type: 'bool', shape: [] }, { name: 'next', type: 'float32', shape: [1] }],
    nodes: [
      { op: 'Identity', domain: '', name: 'a', inputs: ['go'], outputs: ['go_on'], attributes: {} },
      { op: 'Add', domain: '', name: 'b', inputs: ['state', 'state'], outputs: ['next'], attributes: {} },
    ],
  }
  return model((b) => b.output(b.one('Loop', [b.input('times', 'int64', []), '', b.input('x', 'float32', [1])], { body: { graph: body } }, { outputs: ['y'] }), 'float32', [1]))
}

export const endlessFeeds: Readonly<Record<string, Tensor>> = { times: { type: 'int64', dims: [], data: BigInt64Array.of(1n << 60n) }, x: float32([1], [1]) }

export function float32(dims: readonly number[], values: ArrayLike<number>): Tensor & { data: Float32Array } {
  return { type: 'float32', dims, data: Float32Array.from(values) }
}

/** The values of a float32 tensor. */
export function floats(tensor: Tensor | undefined): Float32Array {
  if (!(tensor?.data instanceof Float32Array)) throw new Error('expected a float32 tensor')
  return tensor.data
}
