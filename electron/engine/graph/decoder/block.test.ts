import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { runtime } from '../../../../kernels/runtime.ts'
import type { Tensor } from '../../../../kernels/kernels.ts'
import { silent } from '../../../contract/events.ts'
import { openDecoder, type DecoderModel } from '../../session/model.ts'
import { openContexts } from '../../session/positions.ts'
import { vjp } from '../../autodiff/vjp.ts'
import { encodeModel } from '../encode.ts'
import { blockGraph, type BlockOptions } from './block.ts'
import { linears, linearShape } from './spec.ts'

const TIME = 5
const HIDDEN = 32

function noise(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => Math.sin((at + 1) * (seed + 1.7)) * 0.5)
}

/** a [rows, cols] · Wᵀ [out, cols], by the definition. */
function product(a: Float32Array, weight: Float32Array, cols: number): Float64Array {
  const rows = a.length / cols
  const out = weight.length / cols
  return Float64Array.from({ length: rows * out }, (_, at) => {
    let sum = 0
    for (let k = 0; k < cols; k++) sum += (a[Math.floor(at / out) * cols + k] ?? NaN) * (weight[(at % out) * cols + k] ?? NaN)
    return sum
  })
}

function normed(x: ArrayLike<number>, weight: Float32Array, epsilon: number): Float64Array {
  return Float64Array.from(x, (value, at) => {
    const row = Array.from({ length: HIDDEN }, (_, col) => x[Math.floor(at / HIDDEN) * HIDDEN + col] ?? NaN)
    return (value / Math.sqrt(row.reduce((sum, one) => sum + one * one, 0) / HIDDEN + epsilon)) * (weight[at % HIDDEN] ?? NaN)
  })
}

function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found.length).toBe(expected.length)
  return Array.from(found).reduce((worst, value, at) => Math.max(worst, Math.abs(value - (expected[at] ?? NaN))), 0)
}

describe('blockGraph', () => {
  let model: DecoderModel
  let feeds: Record<string, Tensor>
  const hidden = noise(TIME * HIDDEN, 0)
  const data = (name: string): Float32Array => {
    const found = feeds[name]?.data
    if (found instanceof Float32Array) return found
    throw new Error(`no feed ${name}`)
  }
  const run = async (options: BlockOptions, given: Record<string, Tensor>, outputs = ['out']): Promise<Record<string, Float32Array>> => {
    const session = await runtime().createSession(encodeModel(blockGraph(model.spec, options)), { threads: 1 })
    const result = await session.run(given, Object.fromEntries(outputs.map((name) => [name, null])))
    session.dispose()
    return Object.fromEntries(Object.entries(result).map(([name, tensor]) => [name, tensor.data instanceof Float32Array ? tensor.data : new Float32Array()]))
  }

  beforeAll(async () => {
    model = await openDecoder(path.join(import.meta.dirname, '..', '..', 'session', 'goldens', 'llama'), silent)
    const extras = await model.readExtras(0)
    feeds = {
      hidden: { type: 'float32', dims: [1, TIME, HIDDEN], data: hidden },
      ...openContexts(model.spec).feeds(false, 0, TIME),
      ...Object.fromEntries(Object.entries(extras).map(([name, values]) => [name, { type: 'float32', dims: [values.length], data: values }])),
    }
    for (const layer of linears(model.spec)) feeds[layer] = { type: 'float32', dims: linearShape(model.spec, layer), data: await model.readWeight(`blocks.0.${layer}`) }
    return () => model.close()
  })

  it('taps the inputs of the linear layers', async () => {
    const found = await run({ taps: ['qkv', 'o', 'mlp', 'down'] }, feeds, ['out', 'tap.qkv', 'tap.o', 'tap.mlp', 'tap.down'])
    const tap = (name: string): Float32Array => found[`tap.${name}`] ?? new Float32Array()
    const { epsilon } = model.spec.norm
    const attended = product(tap('o'), data('o'), HIDDEN)
    const middle = Float64Array.from(hidden, (value, at) => value + (attended[at] ?? NaN))
    const gate = product(tap('mlp'), data('gate'), HIDDEN)
    const up = product(tap('mlp'), data('up'), HIDDEN)
    const last = product(tap('down'), data('down'), 48)
    expect(difference(tap('qkv'), normed(hidden, data('attention_norm'), epsilon))).toBeLessThan(1e-6)
    expect(difference(tap('mlp'), normed(middle, data('mlp_norm'), epsilon))).toBeLessThan(3e-6)
    expect(difference(tap('down'), up.map((value, at) => (value * (gate[at] ?? NaN)) / (1 + Math.exp(-(gate[at] ?? NaN)))))).toBeLessThan(1e-5)
    expect(difference(found.out ?? [], middle.map((value, at) => value + (last[at] ?? NaN)))).toBeLessThan(1e-5)
  })

  it.each(['qkv', 'o', 'mlp', 'down'] as const)('ends at tap %s with the same values, asking for no more than it needs', async (tap) => {
    const graph = blockGraph(model.spec, { until: tap })
    expect(graph.outputs.map(({ name }) => name)).toEqual([`tap.${tap}`])
    const needed = { qkv: [], o: ['k', 'q', 'v'], mlp: ['k', 'o', 'q', 'v'], down: ['gate', 'k', 'o', 'q', 'up', 'v'] }[tap]
    expect(graph.inputs.map(({ name }) => name).filter((name) => linears(model.spec).some((layer) => layer === name)).sort()).toEqual(needed)
    const given = Object.fromEntries(Object.entries(feeds).filter(([name]) => graph.inputs.some((input) => input.name === name)))
    const whole = await run({ taps: [tap] }, feeds, [`tap.${tap}`])
    expect((await run({ until: tap }, given, [`tap.${tap}`]))[`tap.${tap}`]).toEqual(whole[`tap.${tap}`])
  })

  it('runs several sequences at once, each as it runs alone', async () => {
    const other = noise(TIME * HIDDEN, 3)
    const both = Float32Array.of(...hidden, ...other)
    const alone = await Promise.all([hidden, other].map((one) => run({}, { ...feeds, hidden: { type: 'float32', dims: [1, TIME, HIDDEN], data: one } })))
    const { out } = await run({}, { ...feeds, hidden: { type: 'float32', dims: [2, TIME, HIDDEN], data: both } })
    expect(difference(out ?? [], Float32Array.of(...(alone[0]?.out ?? []), ...(alone[1]?.out ?? [])))).toBeLessThan(2e-6)
  })

  it('adds a low-rank branch to a weight', async () => {
    const a = noise(3 * HIDDEN, 1)
    const b = noise(48 * 3, 2)
    const sum = data('gate').map((value, at) => {
      let added = value
      for (let k = 0; k < 3; k++) added += (b[Math.floor(at / HIDDEN) * 3 + k] ?? NaN) * (a[k * HIDDEN + (at % HIDDEN)] ?? NaN)
      return added
    })
    const expected = await run({}, { ...feeds, gate: { type: 'float32', dims: [48, HIDDEN], data: sum } })
    const found = await run({ kinds: { gate: { weight: 'dense', branch: { rank: 3 } } } }, { ...feeds, 'gate.a': { type: 'float32', dims: [3, HIDDEN], data: a }, 'gate.b': { type: 'float32', dims: [48, 3], data: b } })
    expect(difference(found.out ?? [], expected.out ?? [])).toBeLessThan(1e-5)
  })

  it('takes packed weights, with and without zero points', async () => {
    const nibbles = Uint8Array.from({ length: (32 * HIDDEN) / 2 }, (_, at) => (at * 37 + 11) % 256)
    const scales = noise(32 * 2, 4)
    const zeros = Float32Array.from({ length: 32 * 2 }, (_, at) => 6 + (at % 4))
    const dense = (zero: (group: number) => number): Float32Array => Float32Array.from({ length: 32 * HIDDEN }, (_, at) => {
      const code = ((nibbles[at >> 1] ?? 0) >> (4 * (at & 1))) & 15
      const group = Math.floor(at / 16)
      return (code - zero(group)) * (scales[group] ?? NaN)
    })
    const packed = { ...feeds, 'q.codes': { type: 'uint8', dims: [32, HIDDEN / 2], data: nibbles }, 'q.scales': { type: 'float32', dims: [32, 2], data: scales } } satisfies Record<string, Tensor>
    for (const withZeros of [false, true]) {
      const expected = await run({}, { ...feeds, q: { type: 'float32', dims: [32, HIDDEN], data: dense((group) => (withZeros ? (zeros[group] ?? NaN) : 8)) } })
      const given = withZeros ? { ...packed, 'q.zeros': { type: 'float32', dims: [32, 2], data: zeros } satisfies Tensor } : packed
      const found = await run({ kinds: { q: { weight: 'packed', bits: 4, group: 16, zeros: withZeros } } }, Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'q')))
      expect(difference(found.out ?? [], expected.out ?? [])).toBeLessThan(1e-4)
    }
  })
})

it.each([['gemma2', 2], ['bloom', 3], ['gpt2', 4]] as const)('blockGraph takes the attention of %s in %i pieces to the same bytes, and so its gradients', async (name, pieces) => {
  const time = 8
  const model = await openDecoder(path.join(import.meta.dirname, '..', '..', 'session', 'goldens', name), silent)
  const { spec } = model
  const states = (seed: number): Tensor => ({ type: 'float32', dims: [2, time, spec.hidden], data: noise(2 * time * spec.hidden, seed) })
  const feeds: Record<string, Tensor> = {
    'hidden': states(0), 'seed:out': states(1),
    ...openContexts(spec).feeds(spec.sliding[0] ?? false, 0, time),
    ...Object.fromEntries(Object.entries(await model.readExtras(0)).map(([short, data]) => [short, { type: 'float32', dims: [data.length], data }])),
  }
  for (const layer of linears(spec)) feeds[layer] = { type: 'float32', dims: linearShape(spec, layer), data: await model.readWeight(`blocks.0.${layer}`) }
  const results = async (options: BlockOptions): Promise<unknown> => {
    const graph = vjp(blockGraph(spec, options), { of: ['out'], wrt: ['hidden', 'q', 'k', 'v'], keep: ['out'] })
    const session = await runtime().createSession(encodeModel(graph), { threads: 1 })
    const result = await session.run(Object.fromEntries(Object.entries(feeds).filter(([input]) => session.inputNames.includes(input))), Object.fromEntries(session.outputNames.map((output) => [output, null])))
    session.dispose()
    return result
  }
  expect(await results({ pieces })).toEqual(await results({}))
  await model.close()
})
