/**
 * @file A graph in 16-bit floating-point numbers as the same graph in 32 bits: what it computes, without the rounding in between. Its
 * weights are in memory then. Gradients are taken of it, and processors have no faster form of it.
 */
import { kernels } from '../../../kernels/kernels.ts'
import type { DataType } from '../../../kernels/kernels.ts'
import { elementCount } from './element.ts'
import { initializerBytes } from './tensor.ts'
import type { Attribute, Graph, Initializer, Node, ValueInfo } from './graph.ts'

const FLOAT32 = 1
const FLOAT16 = 10
/** Attributes that name a type of what a node makes. */
const typeAttributes = ['to', 'dtype'] as const

const widerType = (type: DataType): DataType => (type === 'float16' ? 'float32' : type)
const widerInfo = (info: ValueInfo): ValueInfo => ({ ...info, type: widerType(info.type) })

async function widerInitializer(value: Initializer): Promise<Initializer> {
  if (value.type !== 'float16') return value
  const count = elementCount(value.dims)
  const out = new Float32Array(count)
  if (count > 0) await kernels().decode('F16', { rows: 1, cols: count }, await initializerBytes(value), out)
  return { ...value, type: 'float32', data: new Uint8Array(out.buffer) }
}

async function widerNode(node: Node): Promise<Node> {
  const changed: Record<string, Attribute> = {}
  for (const name of typeAttributes) {
    const value = node.attributes[name]
    if (value !== undefined && 'int' in value && value.int === FLOAT16) changed[name] = { int: FLOAT32 }
  }
  for (const [name, value] of Object.entries(node.attributes)) if ('tensor' in value && value.tensor.type === 'float16') changed[name] = { tensor: await widerInitializer(value.tensor) }
  return Object.keys(changed).length === 0 ? node : { ...node, attributes: { ...node.attributes, ...changed } }
}

/** The graph with float32 in place of float16. Graphs in attributes stay as they are. */
export async function widened(graph: Graph): Promise<Graph> {
  const initializers = new Map<string, Initializer>()
  for (const [name, value] of graph.initializers) initializers.set(name, await widerInitializer(value))
  return {
    ...graph,
    inputs: graph.inputs.map(widerInfo),
    outputs: graph.outputs.map(widerInfo),
    values: new Map([...graph.values].map(([name, info]) => [name, widerInfo(info)])),
    nodes: await Promise.all(graph.nodes.map(widerNode)),
    initializers,
  }
}
