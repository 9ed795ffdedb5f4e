import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { blockGraph } from '../graph/decoder/block.ts'
import { embedGraph } from '../graph/decoder/embed.ts'
import { headGraph } from '../graph/decoder/head.ts'
import { createEmitter } from '../graph/emitter.ts'
import { encodeModel } from '../graph/encode.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { runtime } from '../../../kernels/runtime.ts'
import { random } from './check/run.ts'
import { directionOf, hvp, productOf } from './hvp.ts'
import { withLoss } from './losses.ts'
import { folderPark } from './park.ts'
import { createStream, type Sample, type StageResult } from './stream.ts'
import { gradientOf } from './vjp.ts'
import type { Stage } from './stage.ts'
import type { DecoderSpec } from '../graph/decoder/spec.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from '../graph/graph.ts'

const [vocabulary, hidden, inner, heads, time] = [17, 12, 20, 2, 5]

const rope = { theta: 100, dimensions: 6, scaling: { kind: 'none' } } as const

const spec: DecoderSpec = {
  architecture: 'test', hidden, blocks: 3, heads, kvHeads: 1, headSize: 6, intermediate: inner, vocabulary, contextLength: 64,
  norm: { kind: 'rms', epsilon: 1e-5, placement: 'pre', final: true }, positions: { kind: 'rope', rope, local: rope },
  activation: 'silu', gated: true, biases: [], qkNorm: true, attentionScale: 6 ** -0.5, attentionCap: 20, logitCap: null,
  window: null, sliding: [false, false, false], embeddingScale: 2, embeddingNorm: false, tied: false,
}

function floats(seed: number, dims: readonly number[], scale = 1, shift = 0): Tensor {
  return { type: 'float32', dims, data: Float32Array.from(random(seed, dims), (value) => shift + scale * value) }
}

/** Weight shapes of a graph: inputs that are neither activations nor tables. */
const others = ['hidden', 'rows', 'mask', 'cos', 'sin', 'labels']

function weightsOf(graph: Graph, seed: number, sizes: Readonly<Record<string, readonly number[]>> = {}): Record<string, Tensor> {
  return Object.fromEntries(graph.inputs.filter(({ name }) => !others.includes(name)).map(({ name, shape }, index) => {
    const dims = sizes[name] ?? shape?.map(Number) ?? []
    return [name, name.includes('norm') ? floats(seed + index, dims, 0.2, 1) : floats(seed + index, dims, 1.5 / Math.sqrt(dims[dims.length - 1]))]
  }))
}

/** head: hidden [batch, time, hidden] as rows, logits, mean cross-entropy. */
function lossGraph(): Graph {
  const head = withLoss(headGraph(spec), { loss: 'cross-entropy', of: 'logits', target: 'labels' })
  return { ...head, outputs: head.outputs.filter(({ name }) => name === 'loss') }
}

/** The block's output as rows, as the head takes it. */
function flattened(graph: Graph): Graph {
  const e = createEmitter(graph.opset)
  for (const { name, type, shape } of graph.inputs) e.input(name, type, shape)
  for (const value of graph.initializers.values()) e.initializer(value)
  for (const node of graph.nodes) e.copy(node)
  return e.build(graph.name, [['flat', e.one('Reshape', ['out', e.ints([-1, hidden])])]])
}

interface Model {
  readonly stages: readonly Stage[]
  readonly weights: ReadonlyMap<string, Readonly<Record<string, Tensor>>>
}

function model(): Model {
  const tables = { mask: floats(1, [time, time], 0), cos: floats(2, [time, 3]), sin: floats(3, [time, 3]) }
  const mask = Float32Array.from({ length: time * time }, (_, index) => (index % time > Math.floor(index / time) ? -1e4 : 0))
  const [embed, block, last, head] = [embedGraph(spec), blockGraph(spec), flattened(blockGraph(spec)), lossGraph()]
  const weights = new Map<string, Readonly<Record<string, Tensor>>>([
    ['embed', weightsOf(embed, 10, { embedding: [vocabulary, hidden] })],
    ...[0, 1, 2].map((index) => [`blocks.${index}`, weightsOf(block, 100 * (index + 1))] as const),
    ['head', weightsOf(head, 900, { head: [vocabulary, hidden] })],
  ])
  const stage = (name: string, graph: Graph, inputs: Stage['inputs'], outputs: Stage['outputs'], constants: Readonly<Record<string, Tensor>> = {}): Stage => ({
    name, graph, inputs, outputs, wrt: Object.keys(weights.get(name) ?? {}), load: () => Promise.resolve({ ...weights.get(name), ...constants }),
  })
  const blockTables = { ...tables, mask: { ...tables.mask, data: mask } }
  return {
    weights,
    stages: [
      stage('embed', embed, { rows: 'tokens' }, { hidden: 'h0' }),
      stage('blocks.0', block, { hidden: 'h0' }, { out: 'h1' }, blockTables),
      stage('blocks.1', block, { hidden: 'h1' }, { out: 'h2' }, blockTables),
      stage('blocks.2', last, { hidden: 'h2' }, { flat: 'h3' }, blockTables),
      stage('head', head, { hidden: 'h3', labels: 'labels' }, { loss: 'loss' }),
    ],
  }
}

function sample(seed: number): Sample {
  const tokens = BigInt64Array.from(random(seed, [2 * time], 0, vocabulary), (value) => BigInt(Math.floor(value)))
  const labels = BigInt64Array.from(random(seed + 1, [2 * time], -1, vocabulary), (value) => BigInt(Math.floor(value)))
  return { tokens: { type: 'int64', dims: [2, time], data: tokens }, labels: { type: 'int64', dims: [2 * time], data: labels } }
}

/** All stages as one graph; weights and tables are inputs `STAGE/NAME`. */
function joined(stages: readonly Stage[]): Graph {
  const e = createEmitter(stages[0].graph.opset)
  e.input('tokens', 'int64', ['batch', 'time'])
  e.input('labels', 'int64', ['rows'])
  for (const { name: prefix, graph, inputs, outputs } of stages) {
    const named = new Map<string, string>([['', '']])
    const local = (value: string): string => named.get(value) ?? `${prefix}/${value}`
    for (const { name, type, shape } of graph.inputs) {
      const value = inputs[name]
      if (value === undefined) e.input(local(name), type, shape)
      else named.set(name, value)
    }
    for (const [output, value] of Object.entries(outputs)) named.set(output, value)
    for (const initializer of graph.initializers.values()) e.initializer({ ...initializer, name: local(initializer.name) })
    for (const node of graph.nodes) e.copy({ ...node, name: local(node.name), inputs: node.inputs.map(local), outputs: node.outputs.map(local) })
  }
  return e.build('joined', [['loss', 'loss']])
}

function direction(stage: Stage, weights: Model['weights']): Record<string, Tensor> {
  const own = weights.get(stage.name) ?? {}
  return Object.fromEntries(stage.wrt.map((name, index) => [name, floats(7 * index + stage.name.length, own[name].dims)]))
}

function distance(a: readonly number[], b: readonly number[]): number {
  const scale = Math.max(...b.map(Math.abs), 1e-6)
  return Math.max(...a.map((value, index) => Math.abs(value - b[index]))) / scale
}

const numbers = ({ data }: Tensor): number[] => Array.from<number | bigint, number>(data, Number)

describe('stream over blocks', () => {
  for (const isParkedOnDisk of [false, true]) {
    it(`gives the gradients and products of the whole graph${isParkedOnDisk ? ', values parked on disk' : ''}`, () => withFolder(async (folder) => {
      const { stages, weights } = model()
      const samples = [sample(1), sample(2)]
      const all = stages.flatMap(({ name, wrt }) => wrt.map((weight) => `${name}/${weight}`))
      const whole = await runtime().createSession(encodeModel(hvp(joined(stages), { loss: 'loss', wrt: all, keep: ['loss'] })))
      const feeds: Record<string, Tensor> = {}
      for (const stage of stages) {
        for (const [name, value] of Object.entries(await stage.load())) feeds[`${stage.name}/${name}`] = value
        for (const [name, value] of Object.entries(direction(stage, weights))) feeds[directionOf(`${stage.name}/${name}`)] = value
      }
      const expected = await Promise.all(samples.map((one) => whole.run({ ...feeds, ...one }, Object.fromEntries(whole.outputNames.map((name) => [name, null])))))

      const stream = createStream(stages, { loss: 'loss', ...(isParkedOnDisk && { park: () => folderPark(path.join(folder, 'park')) }) })
      const seen: string[] = []
      const compare = ({ stage, sample: index, gradients, products }: StageResult): void => {
        for (const name of stage.wrt) {
          const key = `${stage.name}/${name}`
          seen.push(`${index} ${key}`)
          if (gradients[name] !== undefined) expect(distance(numbers(gradients[name]), numbers(expected[index][gradientOf(key)])), `gradient of ${key}`).toBeLessThan(1e-4)
          if (products[name] !== undefined) expect(distance(numbers(products[name]), numbers(expected[index][productOf(key)])), `product of ${key}`).toBeLessThan(1e-4)
        }
        expect(Object.keys(gradients).length + Object.keys(products).length).toBeGreaterThan(0)
      }
      const losses = await stream.gradient(samples, { take: compare })
      losses.forEach((loss, index) => expect(loss).toBeCloseTo(Number(expected[index].loss.data[0]), 5))
      expect(seen.sort()).toEqual(samples.flatMap((_, index) => all.map((key) => `${index} ${key}`)).sort())

      for (const withGradients of [true, false]) {
        seen.length = 0
        const found = await stream.product(samples, {
          gradients: withGradients,
          direction: (stage) => direction(stage, weights),
          take(result) {
            expect(Object.keys(result.products)).toEqual(result.stage.wrt)
            expect(Object.keys(result.gradients)).toEqual(withGradients ? result.stage.wrt : [])
            compare(result)
          },
        })
        expect(found).toEqual(losses.map((loss) => expect.closeTo(loss, 5) as number))
        expect(seen.length).toBe(samples.length * all.length)
      }
      stream.dispose()
      whole.dispose()
    }))
  }

  it('goes back no further than the first weights that are asked for', async () => {
    const { stages, weights } = model()
    const partial = stages.map((stage) => ({ ...stage, wrt: stage.name === 'blocks.2' ? ['q', 'down'] : [] }))
    const stream = createStream(partial, { loss: 'loss' })
    const full = createStream(stages, { loss: 'loss' })
    const expected: Record<string, number[]> = {}
    await full.gradient([sample(3)], { take: ({ stage, gradients }) => {
      if (stage.name === 'blocks.2') for (const name of ['q', 'down']) expected[name] = numbers(gradients[name])
    } })
    const visited: string[] = []
    await stream.gradient([sample(3)], { take: ({ stage, gradients }) => {
      visited.push(stage.name)
      for (const [name, values] of Object.entries(expected)) expect(distance(numbers(gradients[name]), values)).toBeLessThan(1e-5)
    } })
    expect(visited).toEqual(['blocks.2'])
    await stream.product([sample(3)], { direction: (stage) => Object.fromEntries(Object.entries(direction(stage, weights)).filter(([name]) => stage.wrt.includes(name))), take: ({ stage, products }) => {
      visited.push(stage.name)
      expect(Object.keys(products)).toEqual(['q', 'down'])
    } })
    expect(visited).toEqual(['blocks.2', 'blocks.2'])
    stream.dispose()
    full.dispose()
  })
})
