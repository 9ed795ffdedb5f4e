/** @file Graph → bytes of an ONNX file. Initializers with a file range become external data of the same path and range. */
import { dataTypes } from '../../../kernels/kernels.ts'
import { Writer } from 'protobufjs'
import { byteLength } from './element.ts'
import { attributeTypes, externalLocation, GraphProto, ModelProto, TensorProto } from './onnx-schema.ts'
import type { Attribute, Dimension, Graph, Initializer, ValueInfo } from './graph.ts'

const irVersion = 10
/** Field number · 8 + wire type 2 (length-delimited). */
const graphTag = 7 * 8 + 2
const initializerTag = 5 * 8 + 2
const rawDataTag = 9 * 8 + 2
const utf8 = new TextEncoder()

function dimension(value: Dimension): object {
  if (typeof value === 'number') return { dimValue: value }
  return value === null ? {} : { dimParam: value }
}

function valueInfo({ name, type, shape }: ValueInfo): object {
  return { name, type: { tensorType: { elemType: dataTypes.indexOf(type), ...(shape !== null && { shape: { dim: shape.map(dimension) } }) } } }
}

function tensor({ name, type, dims, data }: Initializer): object {
  const head = { name, dataType: dataTypes.indexOf(type), dims }
  if (data instanceof Uint8Array) return { ...head, rawData: data }
  const entries = { location: data.path, offset: String(data.offset), length: String(data.length) }
  return { ...head, dataLocation: externalLocation, externalData: Object.entries(entries).map(([key, value]) => ({ key, value })) }
}

function attribute(name: string, value: Attribute): object {
  if ('int' in value) return { name, type: attributeTypes.int, i: value.int }
  if ('float' in value) return { name, type: attributeTypes.float, f: value.float }
  if ('string' in value) return { name, type: attributeTypes.string, s: utf8.encode(value.string) }
  if ('tensor' in value) return { name, type: attributeTypes.tensor, t: tensor(value.tensor) }
  if ('ints' in value) return { name, type: attributeTypes.ints, ints: value.ints }
  if ('floats' in value) return { name, type: attributeTypes.floats, floats: value.floats }
  if ('strings' in value) return { name, type: attributeTypes.strings, strings: value.strings.map((text) => utf8.encode(text)) }
  return { name, type: attributeTypes.graph, g: graphMessage(value.graph) }
}

function graphMessage(graph: Graph): object {
  return {
    name: graph.name,
    node: graph.nodes.map((node) => ({
      opType: node.op,
      domain: node.domain,
      name: node.name,
      input: node.inputs,
      output: node.outputs,
      attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
    })),
    initializer: [...graph.initializers.values()].map(tensor),
    input: graph.inputs.map(valueInfo),
    output: graph.outputs.map(valueInfo),
    valueInfo: [...graph.values.values()].map(valueInfo),
  }
}

function modelHead(graph: Graph, producer: string): object {
  return {
    irVersion,
    producerName: producer,
    opsetImport: Object.entries(graph.opset).map(([domain, version]) => ({ domain, version })),
    metadataProps: Object.entries(graph.metadata).map(([key, value]) => ({ key, value })),
  }
}

/** The bytes of an ONNX model file holding `graph`. External ranges are referred to, not read. */
export function encodeModel(graph: Graph, producer = 'halftone'): Uint8Array {
  return ModelProto.encode(ModelProto.fromObject({ ...modelHead(graph, producer), graph: graphMessage(graph) })).finish()
}

/** The same file in pieces: between them the payloads of `streamed`, in their order, are still to be put. */
export function encodePieces(graph: Graph, streamed: readonly Initializer[], producer = 'halftone'): { readonly pieces: readonly Uint8Array[]; readonly sizeBytes: number } {
  const left = new Set(streamed.map(({ name }) => name))
  const small = new Map([...graph.initializers].filter(([name]) => !left.has(name)))
  const head = ModelProto.encode(ModelProto.fromObject(modelHead(graph, producer))).finish()
  const body = GraphProto.encode(GraphProto.fromObject(graphMessage({ ...graph, initializers: small }))).finish()
  const tensors = streamed.map((initializer) => {
    const length = byteLength(initializer.type, initializer.dims)
    const fields = TensorProto.encode(TensorProto.fromObject(tensor({ ...initializer, data: new Uint8Array(0) }))).finish()
    const rest = Writer.create().uint32(rawDataTag).uint32(length).finish()
    const start = Writer.create().uint32(initializerTag).uint32(fields.length + rest.length + length).raw(fields).raw(rest).finish()
    return { start, length }
  })
  const payload = tensors.reduce((sum, { start, length }) => sum + start.length + length, 0)
  const first = Writer.create().raw(head).uint32(graphTag).uint32(body.length + payload).raw(body).finish()
  // The first payload follows the end of `first`: its own header belongs to the piece before it.
  const starts = tensors.map(({ start }) => start)
  return { pieces: [Buffer.concat([first, starts[0] ?? new Uint8Array(0)]), ...starts.slice(1)], sizeBytes: first.length + payload }
}
