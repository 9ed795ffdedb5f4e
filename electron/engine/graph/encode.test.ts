import { describe, expect, it } from 'vitest'
import * as ort from 'onnxruntime-node'
import protobuf from 'protobufjs'
import { createBuilder } from './builder.ts'
import { encodedLength, encodeModel, encodePieces } from './encode.ts'
import type { Graph } from './graph.ts'

/** The part of the format's specification that is written here, for the library's own encoder. */
const specification = `
  syntax = "proto2";
  message Entry { optional string key = 1; optional string value = 2; }
  message Opset { optional string domain = 1; optional int64 version = 2; }
  message Tensor { repeated int64 dims = 1 [packed = true]; optional int32 data_type = 2; optional string name = 8; optional bytes raw_data = 9; repeated Entry external_data = 13; optional int32 data_location = 14; }
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
  message Shape { repeated Dimension dim = 1; }
  message TensorType { optional int32 elem_type = 1; optional Shape shape = 2; }
  message Type { optional TensorType tensor_type = 1; }
  message Value { optional string name = 1; optional Type type = 2; }
  message Attribute {
    optional string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4; optional Tensor t = 5; optional Graph g = 6;
    repeated float floats = 7 [packed = true]; repeated int64 ints = 8 [packed = true]; repeated bytes strings = 9; optional int32 type = 20;
  }
  message Node { repeated string input = 1; repeated string output = 2; optional string name = 3; optional string op_type = 4; repeated Attribute attribute = 5; optional string domain = 7; }
  message Graph { repeated Node node = 1; optional string name = 2; repeated Tensor initializer = 5; repeated Value input = 11; repeated Value output = 12; repeated Value value_info = 13; }
  message Model { optional int64 ir_version = 1; optional string producer_name = 2; optional Graph graph = 7; repeated Opset opset_import = 8; repeated Entry metadata_props = 14; }
`

/** A graph with every kind of attribute, tensor and dimension, and a string longer than one length byte can say. */
function everything(): Graph {
  const b = createBuilder()
  const x = b.input('x', 'float32', ['n', 3, null])
  const tensor = { name: 'own', type: 'uint8', dims: [3], data: Uint8Array.of(1, 2, 255) } as const
  b.initializer({ name: 'outside', type: 'float16', dims: [300, 2], data: { path: 'w.data', offset: 2 ** 33, length: 1200 } })
  const branch = createBuilder()
  branch.output(branch.one('Identity', [branch.floats(-0)]), 'float32', null)
  const attributes = {
    int: { int: -7 }, large: { int: 2 ** 40 }, float: { float: 0.1 }, string: { string: 'größer' }, tensor: { tensor }, ints: { ints: [1, -1, 300] }, none: { ints: [] }, floats: { floats: [1.5, -2] }, strings: { strings: ['a', 'b'] },
    graph: { graph: branch.build('branch') },
  }
  b.output(b.one('Made', [x, '', 'outside'], attributes, { domain: 'halftone' }), 'float32', null)
  return b.build('test', { note: 'ü'.repeat(200) })
}

describe('encodeModel', () => {
  it('writes a file that ONNX Runtime loads and runs', async () => {
    const b = createBuilder()
    const x = b.input('x', 'float32', ['n', 3])
    const sum = b.one('ReduceSum', [b.one('Mul', [x, b.floats([1, 10, 100])]), b.ints([1])], { keepdims: { int: 0 } })
    b.output(b.one('Clip', [sum, '', b.floats(400)]), 'float32', ['n'])
    const session = await ort.InferenceSession.create(encodeModel(b.build('test')))
    const result = await session.run({ x: new ort.Tensor('float32', [1, 2, 3, 9, 9, 9], [2, 3]) })
    expect([...(result[session.outputNames[0] ?? '']?.data as Float32Array)]).toEqual([321, 400])
  })

  it('writes what the library reads by the specification, and no byte more', () => {
    const Model = protobuf.parse(specification).root.lookupType('Model')
    const bytes = encodeModel(everything())
    const message = Model.decode(bytes)
    expect(Model.encode(message).finish().length).toBe(bytes.length) // the graph stands last here
    expect(Model.toObject(message, { longs: Number, bytes: Array })).toMatchObject({
      irVersion: 10, producerName: 'halftone', metadataProps: [{ key: 'note', value: 'ü'.repeat(200) }],
      graph: {
        name: 'test', input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'n' }, { dimValue: 3 }, {}] } } } }],
        initializer: [{ name: 'outside', dataType: 10, dims: [300, 2], dataLocation: 1, externalData: [{ key: 'location', value: 'w.data' }, { key: 'offset', value: String(2 ** 33) }, { key: 'length', value: '1200' }] }],
        node: [{
          opType: 'Made', domain: 'halftone', input: ['x', '', 'outside'],
          attribute: [
            { name: 'int', type: 2, i: -7 }, { name: 'large', type: 2, i: 2 ** 40 }, { name: 'float', type: 1, f: Math.fround(0.1) }, { name: 'string', type: 3, s: [...Buffer.from('größer')] }, { name: 'tensor', type: 4, t: { dataType: 2, dims: [3], rawData: [1, 2, 255] } },
            { name: 'ints', type: 7, ints: [1, -1, 300] }, { name: 'none', type: 7 }, { name: 'floats', type: 6, floats: [1.5, -2] }, { name: 'strings', type: 8, strings: [[97], [98]] }, { name: 'graph', type: 5, g: { name: 'branch', node: [{ opType: 'Identity' }] } },
          ],
        }],
      },
    })
  })

  it('knows the length without the bytes, and the same file in pieces', () => {
    const graph = everything()
    expect(encodedLength(graph)).toBe(encodeModel(graph).length)
    const value = { name: 'w', type: 'float32', dims: [50], data: { path: 'w', offset: 0, length: 200 } } as const
    const streamed = { ...graph, initializers: new Map([...graph.initializers, ['w', value]]) }
    const { pieces, sizeBytes } = encodePieces(streamed, [value])
    const whole = Buffer.concat([...pieces, new Uint8Array(200)])
    expect(whole.length).toBe(sizeBytes)
    const Model = protobuf.parse(specification).root.lookupType('Model')
    expect(Model.toObject(Model.decode(whole), { longs: Number, bytes: Array })).toMatchObject({ graph: { initializer: [{ name: 'outside' }, { name: 'w', dataType: 1, dims: [50], rawData: new Array<number>(200).fill(0) }] } })
  })

  it('shares equal constants and keeps names unique', () => {
    const b = createBuilder()
    expect(b.ints([1, 2])).toBe(b.ints([1, 2]))
    expect(b.ints(1)).not.toBe(b.ints([1]))
    const names = Array.from({ length: 5 }, () => b.one('Relu', ['x']))
    expect(new Set([...names, b.fresh('Relu:out'), b.fresh('Relu:out_1')]).size).toBe(7)
  })
})
