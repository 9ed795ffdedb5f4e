/** @file Opens an ONNX file. Only nodes and small tensors are read; weights stay in the file (or its external data) as ranges. */
import path from 'node:path'
import { openBytes } from '../io/byte-file.ts'
import { malformed } from '../io/problems.ts'
import { decodeModel } from './decode.ts'
import { locatePayloads } from './external.ts'
import { inlineFunctions } from './functions.ts'
import { INLINE_BYTES_MAX } from './limits.ts'
import { initializerBytes } from './tensor.ts'
import { validate } from './validate.ts'
import { readSkeleton } from './wire.ts'
import type { Graph, Node } from './graph.ts'

/** The graph of an ONNX file: local functions inlined, nodes in order of computation, all sizes checked. */
export async function readModel(modelPath: string): Promise<Graph> {
  const where = path.basename(modelPath)
  const file = await openBytes(modelPath)
  try {
    if (file.sizeBytes === 0) throw malformed(where, 'an empty file', 'an ONNX model')
    const bytes = await readSkeleton(file)
    const { graph, functions } = decodeModel(bytes, where, locatePayloads(path.resolve(modelPath), file.sizeBytes))
    return await withSmallTensors(validate(liftConstants(inlineFunctions(graph, functions, where)), where))
  } finally {
    await file.close()
  }
}

/** Small tensors of external data in memory too: inference of shapes wants their numbers. */
async function withSmallTensors(graph: Graph): Promise<Graph> {
  const initializers = new Map(graph.initializers)
  for (const value of initializers.values()) {
    if (!(value.data instanceof Uint8Array) && value.data.length <= INLINE_BYTES_MAX) initializers.set(value.name, { ...value, data: await initializerBytes(value) })
  }
  return { ...graph, initializers }
}

/** Constant nodes as initializers: their tensors are then found, and left in the file, like any other weight. */
function liftConstants(graph: Graph): Graph {
  const initializers = new Map(graph.initializers)
  const outputs = new Set(graph.outputs.map(({ name }) => name))
  const nodes: Node[] = []
  for (const node of graph.nodes) {
    const value = node.attributes.value
    const [name = ''] = node.outputs
    const isTensor = node.op === 'Constant' && node.domain === '' && value !== undefined && 'tensor' in value
    if (isTensor && !outputs.has(name) && !initializers.has(name)) initializers.set(name, { ...value.tensor, name })
    else nodes.push(node)
  }
  return { ...graph, nodes, initializers }
}
