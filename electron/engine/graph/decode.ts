/**
 * @file Bytes of an ONNX model → graph and local functions. Tensors whose payload was left in the file become ranges; what
 * the program of Halftone cannot hold (sequences, maps, sparse tensors, strings as weights) is refused by name.
 */
import { dataTypes, type DataType } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import { malformed } from '../io/problems.ts'
import { attributeTypes } from './onnx-schema.ts'
import { decodeTensor, type Locate } from './decode-tensor.ts'
import { int, float, floats, ints, message, readFields, text } from './protobuf.ts'
import { INITIALIZERS_MAX, NODES_MAX, SUBGRAPH_DEPTH_MAX } from './limits.ts'
import type { Attribute, Dimension, Graph, Initializer, Node, ValueInfo } from './graph.ts'

/** A node of a local function's body: `references` are attributes taken from the call (own name → name at the call). */
export interface FunctionNode extends Node {
  readonly references: Readonly<Record<string, string>>
}

export interface LocalFunction {
  readonly domain: string
  readonly name: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly nodes: readonly FunctionNode[]
  /** Defaults of attributes. */
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly opset: Readonly<Record<string, number>>
}

export interface DecodedModel {
  readonly graph: Graph
  readonly functions: readonly LocalFunction[]
}

interface Context {
  readonly where: string
  readonly locate: Locate
  readonly depth: number
}

/** Decodes a model message; `locate` turns what a tensor says of its payload into bytes or a range. */
export function decodeModel(bytes: Uint8Array, where: string, locate: Locate): DecodedModel {
  const context = { where, locate, depth: 0 }
  const opset: Record<string, number> = {}
  const metadata: Record<string, string> = {}
  const functions: LocalFunction[] = []
  let graphBytes: Uint8Array | undefined
  readFields(bytes, where, {
    7: message((part) => (graphBytes = part)),
    8: message((part) => Object.assign(opset, operatorSet(part, where))),
    14: message((part) => Object.assign(metadata, entry(part, where))),
    25: message((part) => functions.push(localFunction(part, context))),
  })
  if (graphBytes === undefined) throw malformed(where, 'no graph', 'an ONNX model with a graph')
  if (Object.keys(opset).length === 0) throw malformed(where, 'no operator set', 'opset_import with a version')
  return { graph: { ...graph(graphBytes, context), opset, metadata }, functions }
}

function operatorSet(bytes: Uint8Array, where: string): Record<string, number> {
  let domain = ''
  let version = 0
  readFields(bytes, where, { 1: text((value) => (domain = value)), 2: int((value) => (version = value)) })
  return { [domain === 'ai.onnx' ? '' : domain]: version }
}

function entry(bytes: Uint8Array, where: string): Record<string, string> {
  let key = ''
  let value = ''
  readFields(bytes, where, { 1: text((found) => (key = found)), 2: text((found) => (value = found)) })
  return { [key]: value }
}

function graph(bytes: Uint8Array, context: Context): Graph {
  const { where, depth } = context
  if (depth > SUBGRAPH_DEPTH_MAX) throw malformed(where, 'graphs inside graphs without end', `at most ${SUBGRAPH_DEPTH_MAX} levels`)
  let name = ''
  const nodes: Node[] = []
  const initializers = new Map<string, Initializer>()
  const inputs: ValueInfo[] = []
  const outputs: ValueInfo[] = []
  const values = new Map<string, ValueInfo>()

  function addInitializer(part: Uint8Array): void {
    const value = decodeTensor(part, `${where}: initializer`, context.locate)
    if (initializers.has(value.name)) throw malformed(where, `two initializers named '${value.name}'`, 'unique names')
    if (initializers.size >= INITIALIZERS_MAX) throw malformed(where, `more than ${INITIALIZERS_MAX} initializers`, 'fewer')
    initializers.set(value.name, value)
  }

  function needed(part: Uint8Array, role: string): ValueInfo {
    const info = valueInfo(part, where)
    if (info.type === null && depth > 0) return { ...info, type: 'undefined' } // a branch may leave it to inference
    if (info.type === null) {
      throw new AppError('unsupported-tensor', `${where}: ${role} '${info.name}' is a sequence, map, optional or of unknown type; expected a tensor`, {
        hint: `Cut the model before it: remove the nodes that make '${info.name}' (post-processing such as ZipMap), for example with onnx.utils.extract_model.`,
      })
    }
    return { ...info, type: info.type }
  }

  readFields(bytes, where, {
    1: message((part) => {
      if (nodes.length >= NODES_MAX) throw malformed(where, `more than ${NODES_MAX} nodes`, 'fewer')
      const decoded = node(part, context)
      if (Object.keys(decoded.references).length > 0) {
        throw new AppError('unsupported-operator', `${where}: node '${decoded.node.name}' takes an attribute from a function's call inside a graph of its own; expected plain values`, { hint: 'Export the model with its functions inlined (onnx.inliner.inline_local_functions).' })
      }
      nodes.push(decoded.node)
    }),
    2: text((value) => (name = value)),
    5: message(addInitializer),
    11: message((part) => inputs.push(needed(part, 'input'))),
    12: message((part) => outputs.push(needed(part, 'output'))),
    13: message((part) => {
      const info = valueInfo(part, where)
      if (info.type !== null) values.set(info.name, { ...info, type: info.type })
    }),
    15: message(() => {
      throw new AppError('unsupported-tensor', `${where}: the graph holds a sparse initializer; expected dense ones`, { hint: 'Export the model with dense weights.' })
    }),
  })
  // Until IR version 4 weights had to be listed as inputs too; they are constants here.
  return { name, opset: {}, inputs: inputs.filter((input) => !initializers.has(input.name)), outputs, nodes, initializers, values, metadata: {} }
}

/** What exporters write where they know no size; the same word twice does not mean the same size. */
const anonymous = /^(\W*|-?\d+|none|unknown|null)$/i

function valueInfo(bytes: Uint8Array, where: string): { name: string; type: DataType | null; shape: Dimension[] | null } {
  let name = ''
  let type: DataType | null = null
  let shape: Dimension[] | null = null

  function dimension(part: Uint8Array): void {
    let found: Dimension = null
    readFields(part, where, { 1: int((value) => (found = value >= 0 ? value : null)), 2: text((value) => (found = anonymous.test(value) ? null : value)) })
    shape?.push(found)
  }
  readFields(bytes, where, {
    1: text((value) => (name = value)),
    2: message((typeProto) => readFields(typeProto, where, {
      1: message((tensor) => readFields(tensor, where, {
        1: int((value) => (type = value === 0 ? null : dataTypes[value] ?? null)),
        2: message((part) => {
          shape = []
          readFields(part, where, { 1: message(dimension) })
        }),
      })),
    })),
  })
  return { name, type, shape }
}

function node(bytes: Uint8Array, context: Context): { node: Node; references: Record<string, string> } {
  let op = ''
  let domain = ''
  let name = ''
  let overload = ''
  const inputs: string[] = []
  const outputs: string[] = []
  const attributeParts: Uint8Array[] = []
  readFields(bytes, context.where, {
    1: text((value) => inputs.push(value)),
    2: text((value) => outputs.push(value)),
    3: text((value) => (name = value)),
    4: text((value) => (op = value)),
    5: message((part) => attributeParts.push(part)),
    7: text((value) => (domain = value === 'ai.onnx' ? '' : value)),
    8: text((value) => (overload = value)),
  })
  if (op === '') throw malformed(`${context.where}: node '${name}'`, 'no operator', 'op_type')
  const attributes: Record<string, Attribute> = {}
  const references: Record<string, string> = {}
  const where = `${context.where}: node '${name === '' ? outputs[0] ?? '' : name}' (${op})`
  for (const part of attributeParts) {
    const { key, value, reference } = attribute(part, { ...context, where })
    if (reference !== '') references[key] = reference
    else if (value !== null) attributes[key] = value
  }
  return { node: { op: overload === '' ? op : `${op}:${overload}`, domain, name, inputs, outputs, attributes }, references }
}

function attribute(bytes: Uint8Array, context: Context): { key: string; value: Attribute | null; reference: string } {
  const { where } = context
  let key = ''
  let reference = ''
  let type = 0
  const found: Record<string, Attribute> = {}
  const intList: number[] = []
  const floatList: number[] = []
  const stringList: string[] = []
  let refused = ''
  readFields(bytes, where, {
    1: text((value) => (key = value)),
    2: float((value) => (found.float = { float: value })),
    3: int((value) => (found.int = { int: value })),
    4: text((value) => (found.string = { string: value })),
    5: message((part) => (found.tensor = { tensor: decodeTensor(part, where, context.locate) })),
    6: message((part) => (found.graph = { graph: graph(part, { ...context, depth: context.depth + 1 }) })),
    7: floats(floatList),
    8: ints(intList),
    9: text((value) => stringList.push(value)),
    10: message(() => (refused = 'a list of tensors')),
    11: message(() => (refused = 'a list of graphs')),
    14: message(() => (refused = 'a type')),
    20: int((value) => (type = value)),
    21: text((value) => (reference = value)),
    22: message(() => (refused = 'a sparse tensor')),
  })
  if (refused !== '') {
    throw new AppError('unsupported-operator', `${where}: attribute '${key}' is ${refused}; expected a number, text, tensor or graph, or a list of numbers or texts`, { hint: 'Export the model without this operator.' })
  }
  const lists: Readonly<Record<string, Attribute>> = { ints: { ints: intList }, floats: { floats: floatList }, strings: { strings: stringList } }
  const empty: Readonly<Record<string, Attribute>> = { int: { int: 0 }, float: { float: 0 }, string: { string: '' } }
  const kind = Object.entries(attributeTypes).find(([, number]) => number === type)?.[0] ?? guessKind(found, intList, floatList)
  const value = { ...empty, ...lists, ...found }[kind] ?? null
  if (value === null && reference === '') throw malformed(where, `attribute '${key}' without a value`, 'a value')
  return { key, value, reference }
}

/** Files from before attribute types were written name none: the field that is there tells. */
function guessKind(found: Readonly<Record<string, Attribute>>, intList: readonly number[], floatList: readonly number[]): string {
  return Object.keys(found)[0] ?? (intList.length > 0 ? 'ints' : floatList.length > 0 ? 'floats' : 'strings')
}

function localFunction(bytes: Uint8Array, context: Context): LocalFunction {
  let name = ''
  let domain = ''
  let overload = ''
  const inputs: string[] = []
  const outputs: string[] = []
  const nodeParts: Uint8Array[] = []
  const attributes: Record<string, Attribute> = {}
  const opset: Record<string, number> = {}
  readFields(bytes, `${context.where}: function`, {
    1: text((value) => (name = value)),
    4: text((value) => inputs.push(value)),
    5: text((value) => outputs.push(value)),
    7: message((part) => nodeParts.push(part)),
    9: message((part) => Object.assign(opset, operatorSet(part, context.where))),
    10: text((value) => (domain = value === 'ai.onnx' ? '' : value)),
    11: message((part) => {
      const { key, value } = attribute(part, context)
      if (value !== null) attributes[key] = value
    }),
    13: text((value) => (overload = value)),
  })
  const nodes = nodeParts.map((part) => {
    const decoded = node(part, { ...context, where: `${context.where}: function '${name}'` })
    return { ...decoded.node, references: decoded.references }
  })
  return { domain, name: overload === '' ? name : `${name}:${overload}`, inputs, outputs, nodes, attributes, opset }
}
