/**
 * @file What a gradient and a Hessian-vector product cost against a forward pass: a two-layer transformer (RMS norm, softmax
 * attention, gated MLP, cross-entropy; D = 512, F = 1408, V = 2048, T = 128), a small residual network and one of depthwise convolutions,
 * weights as inputs, one thread. Times are CPU time, the best of several runs, so that other work on the machine counts little.
 */
import { createBuilder, type Builder } from '../graph/builder.ts'
import { encodeModel } from '../graph/encode.ts'
import { prune } from '../graph/prune.ts'
import { runtime } from '../../../kernels/runtime.ts'
import { random } from './check/run.ts'
import { hvp } from './hvp.ts'
import { withLoss } from './losses.ts'
import { vjp } from './vjp.ts'
import type { NativeSession, Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from '../graph/graph.ts'

interface Subject {
  readonly name: string
  readonly graph: Graph
  readonly wrt: readonly string[]
  readonly feeds: Readonly<Record<string, Tensor>>
}

type Weights = (name: string, dims: readonly number[]) => string

function subject(name: string, write: (b: Builder, weight: Weights) => { logits: string; feeds: Record<string, Tensor>; rows: readonly number[] }, classes: number): Subject {
  const b = createBuilder()
  const wrt: string[] = []
  const feeds: Record<string, Tensor> = {}
  const made = write(b, (weight, dims) => {
    wrt.push(weight)
    const fan = dims.length > 1 ? dims.slice(1).reduce((a, c) => a * c, 1) : 1
    feeds[weight] = { type: 'float32', dims, data: Float32Array.from(random(wrt.length, dims, -1 / Math.sqrt(fan), 1 / Math.sqrt(fan))) }
    return b.input(weight, 'float32', dims)
  })
  b.output(made.logits, 'float32', null)
  const labels = Array.from({ length: made.rows.reduce((a, c) => a * c, 1) }, (_, index) => BigInt((index * 7) % classes))
  return { name, wrt, graph: withLoss(b.build(name), { loss: 'cross-entropy', of: made.logits, target: 'labels' }), feeds: { ...feeds, ...made.feeds, labels: { type: 'int64', dims: made.rows, data: BigInt64Array.from(labels) } } }
}

export function transformer(d = 512, inner = 1408, vocabulary = 2048, t = 128, heads = 8): Subject {
  const size = d / heads
  return subject('transformer', (b, weight) => {
    const norm = (x: string, name: string): string => b.one('SimplifiedLayerNormalization', [x, weight(name, [d])], { axis: { int: -1 }, epsilon: { float: 1e-5 } })
    const linear = (x: string, name: string, out: number, from: number): string => b.one('Gemm', [x, weight(name, [out, from])], { transB: { int: 1 } })
    const split = (x: string): string => b.one('Transpose', [b.one('Reshape', [x, b.ints([t, heads, size])])], { perm: { ints: [1, 0, 2] } })
    b.input('mask', 'float32', [t, t])
    let x = b.input('hidden', 'float32', [t, d])
    for (const layer of [0, 1]) {
      const h = norm(x, `${layer}.norm1`)
      const [q, k, v] = ['q', 'k', 'v'].map((name) => split(linear(h, `${layer}.${name}`, d, d)))
      const scores = b.one('Add', [b.one('MatMul', [b.one('Mul', [q, b.floats(size ** -0.5)]), b.one('Transpose', [k], { perm: { ints: [0, 2, 1] } })]), 'mask'])
      const mixed = b.one('Reshape', [b.one('Transpose', [b.one('MatMul', [b.one('Softmax', [scores]), v])], { perm: { ints: [1, 0, 2] } }), b.ints([t, d])])
      x = b.one('Add', [x, linear(mixed, `${layer}.o`, d, d)])
      const g = norm(x, `${layer}.norm2`)
      const gate = linear(g, `${layer}.gate`, inner, d)
      x = b.one('Add', [x, linear(b.one('Mul', [b.one('Mul', [gate, b.one('Sigmoid', [gate])]), linear(g, `${layer}.up`, inner, d)]), `${layer}.down`, d, inner)])
    }
    const mask = Array.from({ length: t * t }, (_, index) => (index % t > Math.floor(index / t) ? -1e4 : 0))
    const feeds: Record<string, Tensor> = { hidden: { type: 'float32', dims: [t, d], data: Float32Array.from(random(3, [t, d])) }, mask: { type: 'float32', dims: [t, t], data: Float32Array.from(mask) } }
    return { logits: linear(norm(x, 'norm'), 'head', vocabulary, d), rows: [t], feeds }
  }, vocabulary)
}

export function residual(channels = 32, size = 28, batch = 4): Subject {
  return subject('residual', (b, weight) => {
    const conv = (x: string, name: string, out: number, from: number, kernel: number, stride: number): string =>
      b.one('Conv', [x, weight(name, [out, from, kernel, kernel])], { strides: { ints: [stride, stride] }, pads: { ints: new Array<number>(4).fill((kernel - 1) / 2) } })
    let x = b.one('Relu', [conv(b.input('x', 'float32', [batch, 3, 2 * size, 2 * size]), 'stem', channels, 3, 3, 2)])
    for (const [index, stride] of [1, 2, 1].entries()) {
      const [from, out] = [channels * (index > 1 ? 2 : 1), channels * (index > 0 ? 2 : 1)]
      const y = conv(b.one('Relu', [conv(x, `${index}.1`, out, from, 3, stride)]), `${index}.2`, out, out, 3, 1)
      x = b.one('Relu', [b.one('Add', [y, stride === 1 ? x : conv(x, `${index}.down`, out, from, 1, stride)])])
    }
    const features = b.one('ReduceMean', [x, b.ints([2, 3])], { keepdims: { int: 0 } })
    return { logits: b.one('Gemm', [features, weight('fc', [10, 2 * channels])], { transB: { int: 1 } }), rows: [batch], feeds: { x: { type: 'float32', dims: [batch, 3, 2 * size, 2 * size], data: Float32Array.from(random(5, [batch, 3, 2 * size, 2 * size])) } } }
  }, 10)
}

/** Inverted residuals as in MobileNetV2: 1x1 up, depthwise 3x3 or 5x5, 1x1 down. */
export function depthwise(channels = 24, size = 28, batch = 4): Subject {
  return subject('depthwise', (b, weight) => {
    const conv = (x: string, name: string, out: number, from: number, kernel: number, stride = 1, group = 1): string =>
      b.one('Conv', [x, weight(name, [out, from / group, kernel, kernel])], { strides: { ints: [stride, stride] }, group: { int: group }, pads: { ints: new Array<number>(4).fill((kernel - 1) / 2) } })
    const swish = (x: string): string => b.one('HardSwish', [x])
    let x = swish(conv(b.input('x', 'float32', [batch, 3, 4 * size, 4 * size]), 'stem', channels, 3, 3, 2))
    for (const [index, [stride, kernel]] of [[2, 3], [1, 3], [1, 5]].entries()) {
      const wide = 4 * channels
      const y = conv(swish(conv(swish(conv(x, `${index}.up`, wide, channels, 1)), `${index}.depthwise`, wide, wide, kernel, stride, wide)), `${index}.down`, channels, wide, 1)
      x = stride === 1 ? b.one('Add', [x, y]) : y
    }
    const features = b.one('ReduceMean', [x, b.ints([2, 3])], { keepdims: { int: 0 } })
    return { logits: b.one('Gemm', [features, weight('fc', [10, channels])], { transB: { int: 1 } }), rows: [batch], feeds: { x: { type: 'float32', dims: [batch, 3, 4 * size, 4 * size], data: Float32Array.from(random(5, [batch, 3, 4 * size, 4 * size])) } } }
  }, 10)
}

const ROUNDS = 7

/** CPU milliseconds of one run, the least of several, taken in turns so that the machine's mood is the same for all. */
async function best(sessions: readonly NativeSession[], feeds: Readonly<Record<string, Tensor>>): Promise<number[]> {
  const least = sessions.map(() => Infinity)
  const results: Record<string, Tensor>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, session] of sessions.entries()) {
      const given = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]]))
      const start = process.cpuUsage()
      // Results are written where those of the first run lie, as a loop over probes does it.
      results[index] = await session.run(given, results[index] ?? Object.fromEntries(session.outputNames.map((name) => [name, null])))
      const { user, system } = process.cpuUsage(start)
      if (round > 0) least[index] = Math.min(least[index], (user + system) / 1000)
    }
  }
  return least
}

export async function bench(): Promise<Record<string, unknown>[]> {
  const results: Record<string, unknown>[] = []
  for (const { name, graph, wrt, feeds } of [transformer(), residual(), depthwise()]) {
    const forward = prune({ ...graph, outputs: graph.outputs.filter((output) => output.name === 'loss') })
    const graphs = [forward, vjp(graph, { of: ['loss'], wrt, seed: 'ones', keep: ['loss'] }), hvp(graph, { loss: 'loss', wrt })]
    const directions = Object.fromEntries(wrt.map((weight) => [`v:${weight}`, feeds[weight]]))
    const sessions = await Promise.all(graphs.map((one) => runtime().createSession(encodeModel(one), { threads: 1, config: { 'session.disable_prepacking': '1' } })))
    const [forwardMs, gradientMs, productMs] = await best(sessions, { ...feeds, ...directions })
    for (const session of sessions) session.dispose()
    results.push({ name, nodes: graphs.map(({ nodes }) => nodes.length), forwardMs, gradientMs, productMs, gradientPerForward: gradientMs / forwardMs, productPerGradient: productMs / gradientMs })
  }
  return results
}
