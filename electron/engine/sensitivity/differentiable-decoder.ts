/**
 * @file A decoder as a differentiable model: embedding, blocks, head with the loss. All blocks share one graph, a stage reads its weights
 * when its turn comes. The loss is the cross-entropy of the text's next token, or of tokens drawn from the model's own predictions.
 */
import { availableParallelism } from 'node:os'
import type { lossNames } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import { withLoss, type Loss } from '../autodiff/losses.ts'
import { memoryPark, type ValuePark } from '../autodiff/park.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { blockGraph } from '../graph/decoder/block.ts'
import { embedGraph } from '../graph/decoder/embed.ts'
import { headGraph } from '../graph/decoder/head.ts'
import { linears, linearShape, type DecoderSpec } from '../graph/decoder/spec.ts'
import { createEmitter } from '../graph/emitter.ts'
import type { DecoderModel } from '../session/model.ts'
import { openContexts } from '../session/positions.ts'
import { oneArena } from '../session/program.ts'
import type { DifferentiableModel, Place, PlacedLayer } from './differentiable.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Stage } from '../autodiff/stage.ts'
import type { Sample } from '../autodiff/stream.ts'
import type { Graph } from '../graph/graph.ts'

export type DecoderLoss = (typeof lossNames)[number]

const kinds: Readonly<Record<DecoderLoss, { readonly loss: Loss; readonly text: string }>> = {
  'next-token': { loss: 'cross-entropy', text: 'cross-entropy of the next token' },
  'own-predictions': { loss: 'own-predictions', text: "cross-entropy of tokens drawn from the model's own predictions" },
}

export interface DecoderOptions {
  readonly loss: DecoderLoss
  /** Of the draws from the model's predictions. */
  readonly seed: number
  readonly threads?: number
  /** Only these layers; all where it is missing. */
  readonly layers?: ReadonlySet<string>
  /** Where activations wait; in memory where nothing is said. */
  readonly park?: () => ValuePark
}

function vectorsOf(values: Readonly<Record<string, Float32Array>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(values).map(([name, data]): [string, Tensor] => [name, { type: 'float32', dims: [data.length], data }]))
}

/** states [batch, time, hidden], labels [rows] → loss. */
function lossGraph(spec: DecoderSpec, loss: Loss): Graph {
  const head = withLoss(headGraph(spec), { loss, of: 'logits', target: 'labels' })
  const e = createEmitter(head.opset)
  e.reserve(head)
  for (const { name, type, shape } of head.inputs) if (name !== 'hidden') e.input(name, type, shape)
  e.alias('hidden', e.one('Reshape', [e.input('states', 'float32', ['batch', 'time', spec.hidden]), e.ints([-1, spec.hidden])]))
  for (const value of head.initializers.values()) e.initializer(value)
  for (const node of head.nodes) e.copy(node)
  return e.build('loss', [['loss', 'loss']])
}

function labelsOf(loss: DecoderLoss, tokens: Int32Array, random: () => number): Tensor {
  const dims = [tokens.length]
  if (loss === 'own-predictions') return { type: 'float32', dims, data: Float32Array.from(tokens, random) }
  return { type: 'int64', dims, data: BigInt64Array.from(tokens, (_, index) => BigInt(index + 1 < tokens.length ? tokens[index + 1] : -1)) }
}

/** Places of every layer; a tied table enters twice. */
function placedLayers({ layers, spec }: DecoderModel, wanted: ReadonlySet<string> | undefined): readonly PlacedLayer[] {
  return layers.filter(({ name }) => wanted?.has(name) ?? true).map(({ name, shape, block }) => {
    const place = (stage: string, input: string): Place => ({ stage, input, layout: 'out-in', dims: shape })
    if (block !== null) return { name, shape, places: [place(`blocks.${block}`, name.slice(name.lastIndexOf('.') + 1))] }
    if (name === 'head') return { name, shape, places: [place('head', 'head')] }
    return { name, shape, places: [place('embedding', 'embedding'), ...(spec.tied ? [place('head', 'head')] : [])] }
  })
}

/** The model over windows of equal length. Weights are read anew with every pass; nothing is held between. */
export function differentiableDecoder(model: DecoderModel, windows: readonly Int32Array[], { loss, seed, threads = availableParallelism(), layers: wanted, park = memoryPark }: DecoderOptions): DifferentiableModel {
  const { spec } = model
  const layers = placedLayers(model, wanted)
  const wrtOf = (stage: string): string[] => layers.flatMap(({ places }) => places.filter((place) => place.stage === stage).map(({ input }) => input))
  const [embed, block, head] = [embedGraph(spec), blockGraph(spec), lossGraph(spec, kinds[loss].loss)]
  const contexts = openContexts(spec)
  const length = windows[0]?.length ?? 0
  const sliding = [...new Set(spec.sliding)]
  const positionInputs = block.inputs.map(({ name }) => name).filter((name) => ['mask', 'cos', 'sin', 'bias'].includes(name))
  const tableOf = async (name: 'embedding' | 'head'): Promise<Tensor> => ({ type: 'float32', dims: [spec.vocabulary, spec.hidden], data: await model.readWeight(name === 'head' && spec.tied ? 'embedding' : name) })

  const stages: Stage[] = [{
    name: 'embedding', graph: embed, outputs: { hidden: 'states.0' }, wrt: wrtOf('embedding'),
    inputs: { rows: 'tokens' },
    async load() {
      const extras = await model.readExtras(null)
      return { ...vectorsOf(extras), ...contexts.learned(0, length, extras.positions), embedding: await tableOf('embedding') }
    },
  }]
  for (let index = 0; index < spec.blocks; index++) {
    const positions = Object.fromEntries(positionInputs.map((name) => [name, `${name} ${spec.sliding[index]}`]))
    stages.push({
      name: `blocks.${index}`, graph: block, outputs: { out: `states.${index + 1}` }, wrt: wrtOf(`blocks.${index}`), inputs: { hidden: `states.${index}`, ...positions },
      async load() {
        const weights: Record<string, Tensor> = vectorsOf(await model.readExtras(index))
        for (const layer of linears(spec)) weights[layer] = { type: 'float32', dims: linearShape(spec, layer), data: await model.readWeight(`blocks.${index}.${layer}`) }
        return weights
      },
    })
  }
  stages.push({
    name: 'head', graph: head, inputs: { states: `states.${spec.blocks}`, labels: 'labels' }, outputs: { loss: 'loss' }, wrt: wrtOf('head'),
    load: async () => ({ ...vectorsOf(await model.readExtras(null)), head: await tableOf('head') }),
  })

  const random = createRandom(seed)
  const samples = windows.map((tokens): Sample => {
    if (tokens.length < 2) throw new AppError('bad-data', `found a window of ${tokens.length} tokens, expected at least two to predict one from the other`, { hint: 'Use longer windows.' })
    const positions = sliding.flatMap((isSliding) => Object.entries(contexts.feeds(isSliding, 0, tokens.length)).map(([name, value]) => [`${name} ${isSliding}`, value] as const))
    return {
      tokens: { type: 'int64', dims: [1, tokens.length], data: BigInt64Array.from(tokens, BigInt) },
      labels: labelsOf(loss, tokens, random),
      ...Object.fromEntries(positions),
    }
  })
  return {
    stages, loss: 'loss', lossText: kinds[loss].text, predictions: loss === 'next-token' ? length - 1 : length, samples, layers, park,
    session: { threads, ...oneArena },
  }
}
