/** @file The golden networks of autodiff as differentiable models of one stage, for tests. */
import { openGolden, type Golden, type GoldenName } from '../autodiff/check/goldens.ts'
import { memoryPark } from '../autodiff/park.ts'
import type { DifferentiableModel } from './differentiable.ts'
import type { Tensor } from '../../../kernels/kernels.ts'

/** The network with the layers PyTorch's exact Hessians are known of, on its batch as one sample. */
export async function goldenModel(name: GoldenName): Promise<{ model: DifferentiableModel; golden: Golden }> {
  const golden = await openGolden(name)
  const { graph, feeds, expected } = golden
  const weights = new Map([...graph.initializers].filter(([parameter]) => golden.parameters.includes(parameter)))
  const layers = Object.entries(expected.layers).map(([layer, { shape: [rows = 1, ...rest] }]) => ({
    name: layer, shape: [rows, rest.reduce((a, b) => a * b, 1)] as const, places: [{ stage: 'network', input: layer, layout: 'out-in' as const, dims: [rows, ...rest] }],
  }))
  if (layers.some((layer) => !weights.has(layer.name))) throw new Error(`${name}: a layer is not a weight of the graph`)
  const predictions = feeds.labels.data.length
  return {
    golden,
    model: {
      stages: [{
        name: 'network', graph, wrt: layers.map((layer) => layer.name), outputs: { loss: 'loss' },
        inputs: Object.fromEntries(Object.keys(feeds).map((input) => [input, input])), load: () => Promise.resolve<Record<string, Tensor>>({}),
      }],
      loss: 'loss', lossText: 'cross-entropy', predictions, samples: [feeds], layers, park: memoryPark, session: { threads: 1 },
    },
  }
}
