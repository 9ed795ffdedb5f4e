/** @file Graph → bytes of an ONNX file, field by field. Initializers with a file range become external data of the same path and range. */
import { dataTypes } from '../../../kernels/kernels.ts'
import { Writer } from 'protobufjs'
import { byteLength } from './element.ts'
import { attributeTypes, externalLocation, fields } from './onnx-schema.ts'
import type { Attribute, Dimension, Graph, Initializer, Node, ValueInfo } from './graph.ts'

const irVersion = 10
const utf8 = new TextEncoder()

// Wire types of protobuf.
const varint = 0
const delimited = 2
const fixed32 = 5

const text = (w: Writer, id: number, value: string): Writer => w.uint32(id * 8 + delimited).string(value)
const bytes = (w: Writer, id: number, value: Uint8Array): Writer => w.uint32(id * 8 + delimited).bytes(value)
const integer = (w: Writer, id: number, value: number): Writer => w.uint32(id * 8 + varint).int64(value)

function message<T>(w: Writer, id: number, value: T, write: (w: Writer, value: T) => void): void {
  write(w.uint32(id * 8 + delimited).fork(), value)
  w.ldelim()
}

function integers(w: Writer, id: number, values: readonly number[]): void {
  if (values.length === 0) return
  message(w, id, values, (inner) => { for (const value of values) inner.int64(value) })
}

function dimension(w: Writer, value: Dimension): void {
  if (typeof value === 'number') integer(w, fields.dimension.dimValue, value)
  else if (value !== null) text(w, fields.dimension.dimParam, value)
}

function valueInfo(w: Writer, { name, type, shape }: ValueInfo): void {
  text(w, fields.value.name, name)
  if (type === 'undefined') return // left to inference
  message(w, fields.value.type, shape, (outer) => {
    message(outer, fields.type.tensorType, shape, (inner) => {
      integer(inner, fields.tensorType.elemType, dataTypes.indexOf(type))
      if (shape !== null) message(inner, fields.tensorType.shape, shape, (dims) => { for (const one of shape) message(dims, fields.shape.dim, one, dimension) })
    })
  })
}

function entry(w: Writer, [key, value]: readonly [string, string]): void {
  text(text(w, fields.entry.key, key), fields.entry.value, value)
}

/** A tensor without its values. */
function tensorHead(w: Writer, { name, type, dims }: Initializer): Writer {
  integers(w, fields.tensor.dims, dims)
  return text(integer(w, fields.tensor.dataType, dataTypes.indexOf(type)), fields.tensor.name, name)
}

function tensor(w: Writer, initializer: Initializer): void {
  const { data } = initializer
  tensorHead(w, initializer)
  if (data instanceof Uint8Array) {
    bytes(w, fields.tensor.rawData, data)
    return
  }
  const range = [['location', data.path], ['offset', String(data.offset)], ['length', String(data.length)]] as const
  for (const one of range) message(w, fields.tensor.externalData, one, entry)
  integer(w, fields.tensor.dataLocation, externalLocation)
}

/** Writes an attribute's value and gives back the number of its type. */
function attributeValue(w: Writer, value: Attribute): number {
  if ('int' in value) integer(w, fields.attribute.i, value.int)
  else if ('float' in value) w.uint32(fields.attribute.f * 8 + fixed32).float(value.float)
  else if ('string' in value) bytes(w, fields.attribute.s, utf8.encode(value.string))
  else if ('tensor' in value) message(w, fields.attribute.t, value.tensor, tensor)
  else if ('ints' in value) integers(w, fields.attribute.ints, value.ints)
  else if ('floats' in value) {
    if (value.floats.length > 0) message(w, fields.attribute.floats, value.floats, (inner, floats) => { for (const one of floats) inner.float(one) })
  } else if ('strings' in value) for (const one of value.strings) bytes(w, fields.attribute.strings, utf8.encode(one))
  else message(w, fields.attribute.g, value.graph, writeGraph)
  const [kind] = Object.keys(value) as (keyof typeof attributeTypes)[]
  return attributeTypes[kind]
}

function attribute(w: Writer, [name, value]: readonly [string, Attribute]): void {
  text(w, fields.attribute.name, name)
  integer(w, fields.attribute.type, attributeValue(w, value))
}

function writeNode(w: Writer, { op, domain, name, inputs, outputs, attributes }: Node): void {
  for (const input of inputs) text(w, fields.node.input, input)
  for (const output of outputs) text(w, fields.node.output, output)
  text(text(w, fields.node.name, name), fields.node.opType, op)
  for (const one of Object.entries(attributes)) message(w, fields.node.attribute, one, attribute)
  text(w, fields.node.domain, domain)
}

function writeGraph(w: Writer, graph: Graph): void {
  for (const node of graph.nodes) message(w, fields.graph.node, node, writeNode)
  text(w, fields.graph.name, graph.name)
  for (const initializer of graph.initializers.values()) message(w, fields.graph.initializer, initializer, tensor)
  for (const input of graph.inputs) message(w, fields.graph.input, input, valueInfo)
  for (const output of graph.outputs) message(w, fields.graph.output, output, valueInfo)
  for (const value of graph.values.values()) message(w, fields.graph.valueInfo, value, valueInfo)
}

/** Everything of a model beside its graph. */
function writeHead(w: Writer, { opset, metadata }: Graph, producer: string): Writer {
  text(integer(w, fields.model.irVersion, irVersion), fields.model.producerName, producer)
  for (const one of Object.entries(opset)) message(w, fields.model.opsetImport, one, (inner, [domain, version]) => integer(text(inner, fields.opset.domain, domain), fields.opset.version, version))
  for (const one of Object.entries(metadata)) message(w, fields.model.metadataProps, one, entry)
  return w
}

function writeModel(graph: Graph, producer: string): Writer {
  const w = writeHead(Writer.create(), graph, producer)
  message(w, fields.model.graph, graph, writeGraph)
  return w
}

/** The bytes of an ONNX model file holding `graph`. External ranges are referred to, not read. */
export function encodeModel(graph: Graph, producer = 'halftone'): Uint8Array {
  return writeModel(graph, producer).finish()
}

/** How many bytes `encodeModel` gives. */
export function encodedLength(graph: Graph, producer = 'halftone'): number {
  return writeModel(graph, producer).pos
}

/** The same file in pieces: between them the payloads of `streamed`, in their order, are still to be put. */
export function encodePieces(graph: Graph, streamed: readonly Initializer[], producer = 'halftone'): { readonly pieces: readonly Uint8Array[]; readonly sizeBytes: number } {
  const left = new Set(streamed.map(({ name }) => name))
  const small = new Map([...graph.initializers].filter(([name]) => !left.has(name)))
  const body = Writer.create()
  writeGraph(body, { ...graph, initializers: small })
  const tensors = streamed.map((initializer) => {
    const length = byteLength(initializer.type, initializer.dims)
    const head = tensorHead(Writer.create(), initializer).uint32(fields.tensor.rawData * 8 + delimited).uint32(length)
    return { start: Writer.create().uint32(fields.graph.initializer * 8 + delimited).uint32(head.pos + length).raw(head.finish()).finish(), length }
  })
  const payload = tensors.reduce((sum, { start, length }) => sum + start.length + length, 0)
  const first = writeHead(Writer.create(), graph, producer).uint32(fields.model.graph * 8 + delimited).uint32(body.pos + payload).raw(body.finish()).finish()
  // The first payload follows the end of `first`: its own header belongs to the piece before it.
  const starts = tensors.map(({ start }) => start)
  return { pieces: [Buffer.concat([first, starts[0] ?? new Uint8Array(0)]), ...starts.slice(1)], sizeBytes: first.length + payload }
}
