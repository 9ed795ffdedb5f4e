/** @file An ONNX file as a model of Halftone: its graph, its layers, and what the whole is hashed and counted by. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { byteLength, elementCount } from '../graph/element.ts'
import { readModel } from '../graph/read.ts'
import { hashList, sha256File } from '../io/hash.ts'
import type { Graph } from '../graph/graph.ts'
import { graphLayers, type GraphLayer } from './layers.ts'
import { readLayer } from './weights.ts'

export interface GraphModel {
  readonly path: string
  readonly graph: Graph
  readonly layers: readonly GraphLayer[]
  /** Initializer → why it is left as it is. */
  readonly reasons: ReadonlyMap<string, string>
  /** Weights in all initializers of floating-point numbers. */
  readonly elements: number
  /** Bytes of the model file and of its external data. */
  readonly sizeBytes: number
  sha256(signal?: AbortSignal): Promise<string>
  /** Dense float32 [out, in]. */
  readWeight(layer: string): Promise<Float32Array>
}

const floats: ReadonlySet<string> = new Set(['float32', 'float16', 'bfloat16', 'float64'])

/** Whether a path names an ONNX graph rather than a language model. */
export function isGraphFile(source: string): boolean {
  return source.toLowerCase().endsWith('.onnx')
}

/** Files of external data that the graph's initializers lie in, the model itself left out. */
function dataFiles(graph: Graph, model: string): string[] {
  const own = path.resolve(model)
  return [...new Set([...graph.initializers.values()].flatMap(({ data }) => (data instanceof Uint8Array ? [] : [path.resolve(data.path)])))].filter((file) => file !== own).sort()
}

/** Opens an ONNX file. Nothing but nodes and small tensors is read. @throws AppError file-malformed, file-missing, unsupported-operator */
export async function openGraphModel(source: string): Promise<GraphModel> {
  const graph = await readModel(source)
  const { layers, reasons } = graphLayers(graph)
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const external = dataFiles(graph, source)
  const sizes = await Promise.all([source, ...external].map(async (file) => (await stat(file)).size))
  return {
    path: source,
    graph,
    layers,
    reasons,
    elements: [...graph.initializers.values()].reduce((sum, { type, dims }) => sum + (floats.has(type) ? elementCount(dims) : 0), 0),
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    async sha256(signal) {
      const own = await sha256File(source, signal)
      if (external.length === 0) return own
      const hashes = new Map([[path.basename(source), own]])
      for (const file of external) hashes.set(path.relative(path.dirname(path.resolve(source)), file), await sha256File(file, signal))
      return hashList(hashes)
    },
    readWeight(name) {
      const layer = byName.get(name)
      if (layer === undefined) throw new AppError('bad-request', `${source}: found no layer '${name}', expected one of its ${layers.length} layers`)
      return readLayer(layer)
    },
  }
}

/** Refuses a model in which nothing can be compressed. */
export function checkLayers({ path: source, graph, layers, reasons }: GraphModel): void {
  if (layers.length > 0) return
  const [largest] = [...graph.initializers.values()].sort((a, b) => byteLength(b.type, b.dims) - byteLength(a.type, a.dims))
  const isPacked = largest !== undefined && /int[248]$/.test(largest.type)
  throw new AppError('unsupported-tensor', `${source}: found no weight that can be compressed${largest === undefined ? '' : ` (its largest tensor, ${largest.name}, ${reasons.get(largest.name) ?? ''})`}, expected weights of MatMul, Gemm, Conv, ConvTranspose, Gather, LSTM or GRU`, {
    hint: isPacked ? 'It is quantized already: give the model it was made from, in float32 or float16.' : 'See "halftone inspect" for the reason of every tensor.',
  })
}

/** Bytes of an initializer as it is stored. */
export const storedBytes = ({ initializer: { type, dims } }: GraphLayer): number => byteLength(type, dims)
