/** @file Graph → bytes of an ONNX file. Initializers with a file range become external data of the same path and range. */
import { dataTypes } from '../../../kernels/kernels.ts'
import { attributeTypes, externalLocation, ModelProto } from './onnx-schema.ts'
import type { Attribute, Dimension, Graph, Initializer, ValueInfo } from './graph.ts'

const irVersion = 10
const utf8 = new TextEncoder()

function dimension(value: Dimension): object {
  if (typeof value === 'number') return { dimValue: value }
  return value === null ? {} : { dimParam: value }
}

function valueInfo({ name, type, shape }: ValueInfo): object {
  return { name, type: { tensorType: { elemType: dataTypes.indexOf(type), shape: { dim: shape.map(dimension) } } } }
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

/** The bytes of an ONNX model file holding `graph`. External ranges are referred to, not read. */
export function encodeModel(graph: Graph, producer = 'halftone'): Uint8Array {
  const message = {
    irVersion,
    producerName: producer,
    opsetImport: Object.entries(graph.opset).map(([domain, version]) => ({ domain, version })),
    graph: graphMessage(graph),
    metadataProps: Object.entries(graph.metadata).map(([key, value]) => ({ key, value })),
  }
  return ModelProto.encode(ModelProto.fromObject(message)).finish()
}
