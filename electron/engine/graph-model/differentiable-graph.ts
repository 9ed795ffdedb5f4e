/**
 * @file An ONNX graph as a differentiable model: its canonical form with a loss behind it, cut into blocks that are differentiated one
 * at a time. Classes get the cross-entropy of labels, given or drawn from the model's own predictions; other outputs the squared
 * error to a target, given or the output itself with normal noise of its own size (the model read as a Gaussian).
 */
import { availableParallelism } from 'node:os'
import { AppError } from '../../contract/errors.ts'
import type { GraphOptions } from '../../contract/graph.ts'
import { withLoss, type Loss } from '../autodiff/losses.ts'
import { memoryPark } from '../autodiff/park.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { canonical } from '../graph/canonical.ts'
import { cutGraph } from '../graph/cut.ts'
import { openGraph } from '../graph/open.ts'
import { prune } from '../graph/prune.ts'
import { initializerTensor } from '../graph/tensor.ts'
import type { DifferentiableModel, PlacedLayer } from '../sensitivity/differentiable.ts'
import type { Stage } from '../autodiff/stage.ts'
import type { Sample } from '../autodiff/stream.ts'
import type { Graph } from '../graph/graph.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import { classOutputs, type ClassOutput } from './classes.ts'
import { floatValues } from './compare.ts'
import type { GraphSample } from './data.ts'
import { graphLayers, type GraphLayer } from './layers.ts'
import type { GraphModel } from './open.ts'
import { runSample } from './probe.ts'

const target = 'halftone:target'
const lossValue = 'halftone:loss'

interface Objective {
  readonly loss: Loss
  /** The value the loss looks at, and the output whose shape it has. */
  readonly of: string
  readonly output: string
  readonly text: string
}

function objectiveOf(model: GraphModel, graph: Graph, classes: readonly ClassOutput[], samples: readonly GraphSample[], wanted: GraphOptions['loss']): Objective {
  const labels = samples[0]?.labels ?? null
  const isWhole = labels !== null && !labels.type.startsWith('float')
  const kind = wanted ?? (labels === null ? 'self' : isWhole ? 'ce' : 'mse')
  const [first] = classes
  const output = first?.output ?? model.graph.outputs.find(({ type }) => type.startsWith('float'))?.name
  if (output === undefined) throw new AppError('bad-request', `${model.path}: found no output of floating-point numbers, expected one to take a loss of`, { hint: 'Measure with layer-output or sqnr.' })
  if (kind !== 'self' && labels === null) throw new AppError('bad-data', `--loss ${kind}: found no labels in the data, expected an array 'labels' with one entry a sample`, { hint: 'Add labels to the NPZ file, or use --loss self.' })
  if (kind === 'ce' && !isWhole) throw new AppError('bad-data', `--loss ce: found labels of ${labels?.type ?? ''}, expected whole numbers (classes)`, { hint: 'Save the labels as int64, or use --loss mse.' })
  const logits = first?.logits ?? output
  if (kind === 'ce') return { loss: 'cross-entropy', of: logits, output, text: `cross-entropy of '${output}' with the labels` }
  if (kind === 'mse') return { loss: 'mse', of: output, output, text: `squared error of '${output}' to the labels` }
  return first !== undefined
    ? { loss: 'own-predictions', of: logits, output, text: `cross-entropy of '${output}' with classes drawn from the model's own predictions (no labels)` }
    : { loss: 'mse', of: output, output, text: `squared error of '${output}' to itself with normal noise of its own size (no labels, no classes)` }
}

/** Sizes of the inputs where all samples agree: with them known, gradients are leaner. */
function sizesOf(samples: readonly GraphSample[]): Record<string, number> {
  const sizes: Record<string, number> = {}
  for (const [name, { dims }] of Object.entries(samples[0]?.feeds ?? {})) {
    dims.forEach((size, axis) => { if (samples.every(({ feeds }) => feeds[name].dims[axis] === size)) sizes[`${name}.${axis}`] = size })
  }
  return sizes
}

/** A standard normal number from two uniform ones (Box and Muller 1958). */
const normal = (random: () => number): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())

/** What the loss compares with, for one sample whose output is `found`. */
async function targetOf({ loss }: Objective, { labels }: GraphSample, found: Tensor, isSelf: boolean, random: () => number): Promise<Tensor> {
  const rows = found.dims.slice(0, -1)
  const count = rows.reduce((product, size) => product * size, 1)
  if (loss === 'own-predictions') return { type: 'float32', dims: rows, data: Float32Array.from({ length: count }, random) }
  if (loss === 'cross-entropy' && labels !== null) {
    const values = Array.from<number | bigint, bigint>(labels.data, BigInt)
    if (values.length !== count) throw new AppError('bad-data', `labels: found ${values.length} a sample, expected ${count}, one a prediction of [${found.dims.join(', ')}]`, { hint: 'Give one class for every prediction, -1 for those that do not count.' })
    return { type: 'int64', dims: rows, data: BigInt64Array.from(values) }
  }
  const values = await floatValues(found)
  if (values === null) throw new AppError('unsupported-tensor', `the output is ${found.type}, expected floating-point numbers`)
  if (!isSelf && labels !== null) {
    if (labels.data.length !== values.length) throw new AppError('bad-data', `labels: found [${labels.dims.join(', ')}] a sample, expected [${found.dims.join(', ')}]`, { hint: 'Give targets in the shape of the output.' })
    return { type: 'float32', dims: found.dims, data: Float32Array.from<number | bigint>(labels.data, Number) }
  }
  const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length))
  return { type: 'float32', dims: found.dims, data: values.map((value) => value + size * normal(random)) }
}

/** The blocks as stages; weights and everything that lies in the file are inputs of theirs. */
function stagesOf(graph: Graph, layers: ReadonlySet<string>): Stage[] {
  return cutGraph(graph).map((block, index) => {
    const given = [...block.initializers.values()].filter(({ name, data }) => layers.has(name) || !(data instanceof Uint8Array))
    const kept = new Map([...block.initializers].filter(([name]) => !given.some((one) => one.name === name)))
    const activations = block.inputs.map(({ name }) => name)
    return {
      name: `block ${index}`,
      graph: { ...block, inputs: [...block.inputs, ...given.map(({ name, type, dims }) => ({ name, type, shape: dims }))], initializers: kept },
      inputs: Object.fromEntries(activations.map((name) => [name, name])),
      outputs: Object.fromEntries(block.outputs.map(({ name }) => [name, name])),
      wrt: given.filter(({ name }) => layers.has(name)).map(({ name }) => name),
      async load() {
        const values: Record<string, Tensor> = {}
        for (const one of given) values[one.name] = await initializerTensor(one)
        return values
      },
    }
  })
}

function placedLayers(layers: readonly GraphLayer[], stages: readonly Stage[]): PlacedLayer[] {
  return layers.map(({ name, shape, layout, initializer: { dims } }) => ({
    name,
    shape,
    places: stages.filter(({ wrt }) => wrt.includes(name)).map((stage) => ({ stage: stage.name, input: name, layout: layout === 'out-in' ? 'out-in' : 'in-out', dims })),
  }))
}

export interface GraphLossOptions {
  readonly loss: GraphOptions['loss']
  readonly seed: number
  readonly signal?: AbortSignal
}

/** The graph over samples of its inputs. @throws AppError bad-data for labels that do not fit, unsupported-tensor for 16-bit weights */
export async function differentiableGraph(model: GraphModel, samples: readonly GraphSample[], { loss: wanted, seed, signal }: GraphLossOptions): Promise<DifferentiableModel> {
  const half = model.layers.find(({ initializer }) => initializer.type !== 'float32')
  if (half !== undefined) throw new AppError('unsupported-tensor', `layer ${half.name}: found weights in ${half.initializer.type}, expected float32 to differentiate`, { hint: 'Measure with layer-output, imatrix, sqnr or kl, or use the float32 export of the model.' })
  const bound = canonical(model.graph, { sizes: sizesOf(samples) })
  const objective = objectiveOf(model, bound, classOutputs(bound), samples, wanted)
  const lossy = withLoss(bound, { loss: objective.loss, of: objective.of, target, name: lossValue })
  const graph = prune({ ...lossy, outputs: lossy.outputs.filter(({ name }) => name === lossValue) })
  const layers = graphLayers(graph).layers.filter(({ name }) => model.layers.some((layer) => layer.name === name))
  const stages = stagesOf(graph, new Set(layers.map(({ name }) => name)))

  const random = createRandom(seed)
  const session = await openGraph(model.graph)
  const given: Sample[] = []
  let predictions = 1
  try {
    const isSelf = wanted === 'self' || samples[0]?.labels === null
    for (const sample of samples) {
      const found = (await runSample(session, sample.feeds, [objective.output], signal))[objective.output]
      const value = await targetOf(objective, sample, found, isSelf, random)
      predictions = Math.max(1, value.data.length)
      given.push({ ...sample.feeds, [target]: value })
    }
  } finally {
    session.dispose()
  }
  return { stages, loss: lossValue, lossText: objective.text, predictions, samples: given, layers: placedLayers(layers, stages), park: memoryPark, session: { threads: availableParallelism(), memoryPattern: false } }
}
