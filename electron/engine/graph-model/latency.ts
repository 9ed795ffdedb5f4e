/**
 * @file Milliseconds of one sample in each layer of a graph under each option, measured on this machine (the idea of OHQ, Huang et
 * al. 2023): the layer's own nodes as the export writes them, alone, on inputs of the surveyed shapes. Layers of the same operators
 * and shapes share a time; times are kept in a file.
 */
import os from 'node:os'
import type { CodecName } from '../../contract/options.ts'
import type { Context } from '../../contract/events.ts'
import { runtime } from '../../../kernels/runtime.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import { anyValues } from '../budget/latency.ts'
import { openTimes, runMs } from '../budget/times.ts'
import type { Milliseconds } from '../budget/constraints.ts'
import { quantizeGraph } from '../export/onnx-weights.ts'
import { typedArray } from '../graph/element.ts'
import { encodeModel } from '../graph/encode.ts'
import { prune } from '../graph/prune.ts'
import type { Graph, ValueInfo } from '../graph/graph.ts'
import { activationType } from './inputs.ts'
import { graphLayers, type GraphLayer } from './layers.ts'
import type { GraphModel } from './open.ts'
import type { Survey } from './survey.ts'

export interface GraphLatencyOptions {
  /** Options of each layer that a plan may choose. */
  readonly optionsOf: (layer: GraphLayer) => readonly CodecName[]
  /** Where the table is kept between runs. */
  readonly file?: string
  readonly threads?: number
}

/** The nodes of a layer as a graph of their own, weights of no meaning, inputs of the surveyed shapes. */
export function layerGraph(graph: Graph, layer: GraphLayer, { dims, types }: Pick<Survey, 'dims' | 'types'>): Graph {
  const { sites } = layer
  const nodes = [...new Set(sites.flatMap(({ via, node }) => [...via, node]))]
  const made = new Set(nodes.flatMap(({ outputs }) => outputs))
  const read = new Set(nodes.flatMap(({ inputs }) => inputs).filter((name) => name !== '' && !made.has(name) && !graph.initializers.has(name)))
  const inputs = [...read].map((name): ValueInfo => ({ name, type: types.get(name) ?? activationType(layer), shape: dims.get(name) ?? [] }))
  const constants = [...graph.initializers.values()].filter(({ name }) => nodes.some((node) => node.inputs.includes(name)))
  return prune({
    ...graph, name: 'layer', metadata: {}, values: new Map(), inputs, nodes,
    initializers: new Map(constants.map(({ name, type, dims: shape }) => [name, { name, type, dims: shape, data: anyValues({ type, dims: shape }) }])),
    outputs: sites.map(({ node: { outputs } }) => ({ name: outputs.find((name) => name !== '') ?? '', type: activationType(layer), shape: null })),
  })
}

/** What makes two layers take the same time. */
function keyOf({ nodes, inputs, initializers }: Graph, option: string): string {
  const parts = [...nodes.map(({ op, attributes }) => [op, ...Object.entries(attributes).map(([name, value]) => `${name}=${JSON.stringify(Object.values(value))}`).sort()].join(' ')), ...inputs.map(({ shape, type }) => `${type}[${(shape ?? []).join()}]`), ...[...initializers.values()].map(({ type, dims }) => `${type}[${dims.join()}]`)]
  return `${parts.join(' ')} ${option}`
}

async function timeLayer(graph: Graph, name: string, option: string, threads: number, signal: AbortSignal): Promise<number> {
  const { graph: stored } = quantizeGraph(graph, graphLayers(graph).layers, new Map([[name, option]]))
  const initializers = new Map([...stored.initializers].map(([key, value]) => [key, value.data instanceof Uint8Array ? value : { ...value, data: anyValues(value) }]))
  const session = await runtime().createSession(encodeModel({ ...stored, initializers }), { threads })
  try {
    const feeds = Object.fromEntries(graph.inputs.map(({ name: input, type, shape }): [string, Tensor] => {
      const dims = (shape ?? []).map(Number)
      const bytes = type.startsWith('float') ? anyValues({ type, dims }) : new Uint8Array(anyValues({ type, dims }).length) // ids: the first row
      return [input, { type, dims, data: typedArray(type, bytes) }]
    }))
    return await runMs(session, Object.fromEntries(session.inputNames.map((input) => [input, feeds[input]])), signal)
  } finally {
    session.dispose()
  }
}

/** The time of one sample in a layer as a function. */
export async function graphLatencies({ graph, layers }: Pick<GraphModel, 'graph' | 'layers'>, survey: Pick<Survey, 'dims' | 'types'>, { optionsOf, file, threads = os.availableParallelism() }: GraphLatencyOptions, { signal }: Pick<Context, 'signal'>): Promise<Milliseconds> {
  const times = await openTimes(file, threads)
  const found = new Map<string, number>()
  for (const layer of layers) {
    const alone = layerGraph(graph, layer, survey)
    for (const option of optionsOf(layer)) {
      signal.throwIfAborted()
      // Of a weight whose uses are not known no time is: all options count alike.
      found.set(`${layer.name} ${option}`, layer.sites.some(({ operator }) => operator === 'other') ? 0 : await times.of(keyOf(alone, option), () => timeLayer(alone, layer.name, option, threads, signal)))
    }
  }
  await times.save()
  return ({ name }, option) => {
    const time = found.get(`${name} ${option}`)
    if (time === undefined) throw new Error(`${name} as ${option} was not timed`)
    return time
  }
}
