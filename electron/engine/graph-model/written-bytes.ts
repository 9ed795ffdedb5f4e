/**
 * @file Bytes that a layer adds to the file under each option: its codes and scales, and the nodes that compute with them, whose names
 * and attributes weigh as much as the weights of a small convolution. Found by writing the layer's nodes alone.
 */
import type { CodecName } from '../../contract/options.ts'
import { quantizeGraph } from '../export/onnx-weights.ts'
import { modelBytes } from '../graph/write.ts'
import type { Graph } from '../graph/graph.ts'
import type { GraphLayer } from './layers.ts'
import { storedBytes, type GraphModel } from './open.ts'
import { graphOptionBytes, graphOptions } from './storage.ts'

/** The nodes and weights of some layers, with nothing else of the model. */
function alone({ opset }: Graph, layers: readonly GraphLayer[]): Graph {
  const sites = layers.flatMap((layer) => layer.sites)
  return {
    name: '', metadata: {}, values: new Map(), inputs: [], opset,
    nodes: [...new Set(sites.flatMap(({ via, node }) => [...via, node]))],
    initializers: new Map(layers.map(({ initializer }) => [initializer.name, initializer])),
    outputs: sites.map(({ node: { outputs } }) => ({ name: outputs.find((name) => name !== '') ?? '', type: 'float32', shape: null })),
  }
}

const takes = (layer: GraphLayer, option: string): boolean => 'bytes' in graphOptionBytes(layer, option)

/** Bytes by layer and option, for every option the layer can take. Tied layers share an option, and nodes: those are counted with the first of them. */
export async function writtenBytes({ graph, layers, path }: Pick<GraphModel, 'graph' | 'layers' | 'path'>): Promise<ReadonlyMap<string, ReadonlyMap<CodecName, number>>> {
  const found = new Map(layers.map(({ name }) => [name, new Map<CodecName, number>()]))
  async function added(some: readonly GraphLayer[], option: CodecName): Promise<number> {
    const before = alone(graph, some)
    const after = quantizeGraph(before, some, new Map(some.map(({ name }) => [name, option]))).graph
    return (await modelBytes(after, path)) - (await modelBytes(before, path)) + some.reduce((sum, layer) => sum + storedBytes(layer), 0)
  }
  for (const members of Map.groupBy(layers, ({ ties, name }) => ties ?? `layer ${name}`).values()) {
    for (const option of graphOptions) {
      const able = members.filter((layer) => takes(layer, option))
      let total = 0
      for (const [index, { name }] of able.entries()) {
        const more = await added(able.slice(0, index + 1), option)
        found.get(name)?.set(option, more - total)
        total = more
      }
    }
  }
  return found
}
