/** @file The divergence of a graph's outputs with the weights of some layers replaced: the graph with those as inputs, run on a few samples. */
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Context } from '../../contract/events.ts'
import { openGraph } from '../graph/open.ts'
import type { Graph } from '../graph/graph.ts'
import { toHalves } from '../io/float.ts'
import { classOutputs } from './classes.ts'
import { createComparison, type Outputs } from './compare.ts'
import type { GraphSample } from './data.ts'
import type { GraphLayer } from './layers.ts'
import { denseBytes } from './pack.ts'

export interface LayerProbe {
  /** Mean divergence over the samples with each layer's weight replaced by that of `dense`, [out, in], in the order of the layers, and its standard error. */
  divergence(...dense: readonly Float32Array[]): Promise<{ readonly divergence: number; readonly stderr: number }>
  dispose(): void
}

export interface ProbeRunner {
  open(...layers: readonly GraphLayer[]): Promise<LayerProbe>
}

/** Runs a session on the inputs it has among the sample's. */
export async function runSample(session: Awaited<ReturnType<typeof openGraph>>, feeds: Readonly<Record<string, Tensor>>, outputs: readonly string[], signal?: AbortSignal): Promise<Outputs> {
  const given = Object.fromEntries(session.inputNames.flatMap((name) => (feeds[name] === undefined ? [] : [[name, feeds[name]] as const])))
  return session.run(given, Object.fromEntries(outputs.map((name) => [name, null])), signal)
}

/** Dense weights as a tensor of the layer's initializer. */
export async function weightTensor(layer: GraphLayer, dense: Float32Array): Promise<Tensor> {
  const { type, dims } = layer.initializer
  const bytes = denseBytes(layer, dense)
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  if (type !== 'float16') return { type: 'float32', dims, data: floats }
  return { type: 'float16', dims, data: new Uint16Array((await toHalves(floats)).buffer) }
}

/** The outputs of the original graph on the samples, to compare with. */
export async function openProbe(graph: Graph, samples: readonly GraphSample[], { signal }: Pick<Context, 'signal'>): Promise<ProbeRunner> {
  const names = graph.outputs.map(({ name }) => name)
  const classes = classOutputs(graph)
  const references: Outputs[] = []
  const original = await openGraph(graph)
  for (const { feeds } of samples) references.push(await runSample(original, feeds, names, signal))
  original.dispose()
  return {
    async open(...layers) {
      const replaced = layers.map(({ initializer: { name, type, dims } }) => ({ name, type, shape: dims }))
      const initializers = new Map([...graph.initializers].filter(([name]) => !replaced.some((input) => input.name === name)))
      const session = await openGraph({ ...graph, initializers, inputs: [...graph.inputs, ...replaced] })
      return {
        async divergence(...dense) {
          const weights = Object.fromEntries(await Promise.all(layers.map(async (layer, index) => [layer.name, await weightTensor(layer, dense[index])] as const)))
          const found: number[] = []
          for (const [index, { feeds }] of samples.entries()) {
            const comparison = createComparison(classes)
            await comparison.add(references[index], await runSample(session, { ...feeds, ...weights }, names, signal))
            found.push(comparison.divergence())
          }
          const mean = found.reduce((sum, value) => sum + value, 0) / found.length
          const variance = found.length < 2 ? 0 : found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (found.length - 1)
          return { divergence: mean, stderr: Math.sqrt(variance / found.length) }
        },
        dispose: () => session.dispose(),
      }
    },
  }
}
