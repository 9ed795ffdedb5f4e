/**
 * @file An ONNX graph as a differentiable model: its canonical form with a loss behind it, cut into blocks that are differentiated one
 * at a time. Classes get the cross-entropy of labels, given or drawn from the model's own predictions; other outputs the squared
 * error to a target, given or the output itself with normal noise of its own size (the model read as a Gaussian).
 */
import { availableParallelism } from 'node:os'
import { AppError } from '../../contract/errors.ts'
import type { GraphOptions } from '../../contract/graph.ts'
import { withLoss, withSum, type Loss } from '../autodiff/losses.ts'
import { memoryPark } from '../autodiff/park.ts'
import { impassable } from '../autodiff/vjp.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { canonical } from '../graph/canonical.ts'
import { cutGraph } from '../graph/cut.ts'
import { openGraph } from '../graph/open.ts'
import { isConstant, isDifferentiable, operatorName } from '../graph/operators.ts'
import { prune } from '../graph/prune.ts'
import { inferShapes } from '../graph/shapes/infer.ts'
import { widened } from '../graph/widen.ts'
import { initializerTensor } from '../graph/tensor.ts'
import type { DifferentiableModel, PlacedLayer } from '../sensitivity/differentiable.ts'
import type { Stage } from '../autodiff/stage.ts'
import type { Sample } from '../autodiff/stream.ts'
import type { Graph } from '../graph/graph.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import { classOutputs, quotedOutputs, type ClassOutput } from './classes.ts'
import { floatValues } from './compare.ts'
import type { GraphSample } from './data.ts'
import { graphLayers, type GraphLayer } from './layers.ts'
import type { GraphModel } from './open.ts'
import { runSample } from './probe.ts'

const target = (index: number): string => (index === 0 ? 'halftone:target' : `halftone:target:${index}`)
const lossValue = 'halftone:loss'

interface Objective {
  readonly loss: Loss
  /** The value the loss looks at, and the output whose shape it has. */
  readonly of: string
  readonly output: string
  /** What the loss is, of all outputs that have one of its kind. */
  readonly text: string
}

/** What is differentiated: the loss of the labels in one output, or of the model's own predictions in all outputs. */
function objectivesOf(model: GraphModel, classes: readonly ClassOutput[], samples: readonly GraphSample[], wanted: GraphOptions['loss']): readonly Objective[] {
  const labels = samples[0]?.labels ?? null
  const isWhole = labels !== null && !labels.type.startsWith('float')
  const kind = wanted ?? (labels === null ? 'self' : isWhole ? 'ce' : 'mse')
  const outputs = model.graph.outputs.filter(({ type }) => type.startsWith('float')).map(({ name }) => name)
  const output = classes[0]?.output ?? outputs[0]
  if (output === undefined) throw new AppError('bad-request', `${model.path}: found no output of floating-point numbers, expected one to take a loss of`, { hint: 'Measure with layer-output or sqnr.' })
  if (kind !== 'self' && labels === null) throw new AppError('bad-data', `--loss ${kind}: found no labels in the data, expected an array 'labels' with one entry a sample`, { hint: 'Add labels to the NPZ file, or use --loss self.' })
  if (kind === 'ce' && !isWhole) throw new AppError('bad-data', `--loss ce: found labels of ${labels?.type ?? ''}, expected whole numbers (classes)`, { hint: 'Save the labels as int64, or use --loss mse.' })
  const logitsOf = (name: string): string | undefined => classes.find((one) => one.output === name)?.logits
  if (kind === 'ce') return [{ loss: 'cross-entropy', of: logitsOf(output) ?? output, output, text: `cross-entropy of '${output}' with the labels` }]
  if (kind === 'mse') return [{ loss: 'mse', of: output, output, text: `squared error of '${output}' to the labels` }]
  const [valued, classed] = [outputs.filter((name) => logitsOf(name) === undefined), outputs.filter((name) => logitsOf(name) !== undefined)]
  const valuedText = `squared error of ${quotedOutputs(valued)} to ${valued.length > 1 ? 'themselves with normal noise of their own sizes' : 'itself with normal noise of its own size'} (no labels, no classes)`
  const classedText = `cross-entropy of ${quotedOutputs(classed)} with classes drawn from the model's own predictions (no labels)`
  return outputs.map((name) => {
    const logits = logitsOf(name)
    return logits === undefined ? { loss: 'mse', of: name, output: name, text: valuedText } : { loss: 'own-predictions', of: logits, output: name, text: classedText }
  })
}

const isFloat = (graph: Graph, value: string): boolean => {
  const type = graph.values.get(value)?.type ?? 'undefined'
  return type === 'undefined' || type.startsWith('float')
}

/** Layers whose weights move what is differentiated, through floating-point numbers all the way. @throws AppError for a node on that way that has no derivative */
function movingLayers(source: Graph, layers: readonly string[], objectives: readonly Objective[]): ReadonlySet<string> {
  const graph = inferShapes(prune({ ...source, outputs: objectives.map(({ of }) => ({ name: of, type: 'undefined', shape: null })) }))
  const nodes = graph.nodes.filter((node) => !isConstant(operatorName(node)))
  const moving = new Set(layers)
  for (const node of nodes) if (node.inputs.some((input) => moving.has(input))) for (const output of node.outputs) if (isFloat(graph, output)) moving.add(output)
  const seen = new Set(objectives.map(({ of }) => of))
  for (const node of nodes.toReversed()) {
    if (!node.outputs.some((output) => seen.has(output) && moving.has(output))) continue
    if (!isDifferentiable(operatorName(node))) throw impassable(node)
    for (const input of node.inputs) if (moving.has(input)) seen.add(input)
  }
  return new Set(layers.filter((name) => seen.has(name)))
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

const meanSquare = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length)

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
  const values = await outputValues(found)
  if (!isSelf && labels !== null) {
    if (labels.data.length !== values.length) throw new AppError('bad-data', `labels: found [${labels.dims.join(', ')}] a sample, expected [${found.dims.join(', ')}]`, { hint: 'Give targets in the shape of the output.' })
    return { type: 'float32', dims: found.dims, data: Float32Array.from<number | bigint>(labels.data, Number) }
  }
  const size = Math.sqrt(meanSquare(values))
  return { type: 'float32', dims: found.dims, data: values.map((value) => value + size * normal(random)) }
}

async function outputValues(found: Tensor): Promise<Float32Array> {
  const values = await floatValues(found)
  if (values === null) throw new AppError('unsupported-tensor', `the output is ${found.type}, expected floating-point numbers`)
  return values
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

/** Inputs in the types of a widened graph. */
async function widerFeeds(feeds: GraphSample['feeds']): Promise<GraphSample['feeds']> {
  return Object.fromEntries(await Promise.all(Object.entries(feeds).map(async ([name, value]) => {
    const data = value.type === 'float16' ? await floatValues(value) : null
    return [name, data === null ? value : { type: 'float32' as const, dims: value.dims, data }] as const
  })))
}

/** The graph over samples of its inputs. @throws AppError bad-data for labels that do not fit */
export async function differentiableGraph(model: GraphModel, samples: readonly GraphSample[], { loss: wanted, seed, signal }: GraphLossOptions): Promise<DifferentiableModel & { /** Layers that the loss does not depend on smoothly. */ readonly unmoved: readonly string[] }> {
  const isHalf = model.layers.some(({ initializer }) => initializer.type === 'float16')
  const bound = canonical(isHalf ? await widened(model.graph) : model.graph, { sizes: sizesOf(samples) })
  const objectives = objectivesOf(model, classOutputs(bound), samples, wanted)
  const isSelf = wanted === 'self' || samples[0]?.labels === null
  const names = model.layers.map(({ name }) => name)
  const moving = movingLayers(bound, names, objectives)
  if (moving.size === 0) throw new AppError('bad-request', `${model.path}: found no layer whose weights move ${objectives.map(({ output }) => `'${output}'`).join(', ')} smoothly, expected one to differentiate by`, { hint: 'Measure with layer-output, sqnr or kl.' })

  const random = createRandom(seed)
  const session = await openGraph(model.graph)
  const given: Sample[] = []
  const squares = objectives.map(() => 0)
  let predictions = 1
  try {
    for (const sample of samples) {
      const found = await runSample(session, sample.feeds, objectives.map(({ output }) => output), signal)
      const targets: Record<string, Tensor> = {}
      for (const [index, objective] of objectives.entries()) {
        const value = await targetOf(objective, sample, found[objective.output], isSelf, random)
        predictions = Math.max(predictions, value.data.length)
        targets[target(index)] = value
        if (objective.loss === 'mse') squares[index] += meanSquare(await outputValues(found[objective.output])) / samples.length
      }
      given.push({ ...(isHalf ? await widerFeeds(sample.feeds) : sample.feeds), ...targets })
    }
  } finally {
    session.dispose()
  }

  // Of several outputs each counts alike: a squared error over the output's own squared size.
  const terms = new Map(objectives.map(({ loss }, index) => [`${lossValue}:${index}`, loss === 'mse' && objectives.length > 1 && squares[index] > 0 ? 1 / squares[index] : 1]))
  const each = objectives.reduce((lossy, { loss, of }, index) => withLoss(lossy, { loss, of, target: target(index), name: `${lossValue}:${index}` }), bound)
  const lossy = withSum(each, terms, lossValue)
  const graph = prune({ ...lossy, outputs: lossy.outputs.filter(({ name }) => name === lossValue) })
  const layers = graphLayers(graph).layers.filter(({ name }) => moving.has(name))
  const stages = stagesOf(graph, new Set(layers.map(({ name }) => name)))
  const lossText = [...new Set(objectives.map(({ text }) => text))].join('; ')
  const unmoved = names.filter((name) => !moving.has(name))
  return { unmoved, stages, loss: lossValue, lossText, predictions, samples: given, layers: placedLayers(layers, stages), park: memoryPark, session: { threads: availableParallelism(), memoryPattern: false } }
}
