/**
 * @file QMatMul beside ONNX Runtime's own MatMul in float32 (constant weight, prepacked), one thread each, by turns: the least
 * time of every contender, and by how much less processor time than float32 it takes, which says more than the clock where other
 * programs run beside. With one row of activations a run is a stack of layers, as a decoder's step is: `layers` = 1 keeps one
 * weight in the caches over and over, 8 does not fit them in float32. The layers' weights differ: of equal ones ONNX Runtime
 * keeps a single copy.
 */
import type { Builder } from '../../electron/engine/graph/builder.ts'
import { createBuilder } from '../../electron/engine/graph/builder.ts'
import { encodeModel } from '../../electron/engine/graph/encode.ts'
import { kernels, type NativeSession, type Tensor } from '../kernels.ts'
import { runtime } from '../runtime.ts'

interface Setting {
  readonly rows: number
  readonly out: number
  readonly in: number
  readonly layers: number
  readonly rounds: number
  readonly bits: readonly number[]
  readonly backwardBits: readonly number[]
}
interface Contender {
  readonly name: string
  readonly session: NativeSession
  readonly feeds: Record<string, Tensor>
  readonly fetches: Record<string, Tensor>
  leastMs: number
  leastCpuMs: number
}

const group = 64
const settings: readonly Setting[] = [
  { rows: 1, out: 2048, in: 2048, layers: 1, rounds: 200, bits: [2, 3, 4, 8], backwardBits: [] },
  { rows: 1, out: 2048, in: 2048, layers: 8, rounds: 40, bits: [2, 3, 4, 8], backwardBits: [] },
  { rows: 1, out: 11008, in: 4096, layers: 1, rounds: 20, bits: [2, 3, 4, 8], backwardBits: [] },
  { rows: 128, out: 2048, in: 2048, layers: 1, rounds: 15, bits: [2, 3, 4, 8], backwardBits: [2, 3, 4] },
  { rows: 128, out: 11008, in: 4096, layers: 1, rounds: 8, bits: [2, 3, 4], backwardBits: [4] },
]

function filled(count: number, seed = 0): Float32Array {
  const values = new Float32Array(count)
  for (let i = 0; i < count; i++) values[i] = (((i + seed) * 40503) & 0xffff) / 65536 - 0.5
  return values
}

function tensor(dims: readonly number[]): Tensor {
  return { type: 'float32', dims, data: filled(dims.reduce((a, b) => a * b, 1)) }
}

/** A session of `layers` nodes that all read x and have an output each. */
async function open(setting: Setting, write: (b: Builder, layer: number) => string): Promise<NativeSession> {
  const b = createBuilder()
  b.input('x', 'float32', ['m', 'k'])
  for (let layer = 0; layer < setting.layers; layer++) b.output(write(b, layer), 'float32', ['m', 'n'])
  return runtime().createSession(encodeModel(b.build('bench')), { threads: 1 })
}

/** Outputs are written in place, so that no copy is measured. */
function contender(name: string, session: NativeSession, setting: Setting, [from, to]: readonly [number, number], weights: Record<string, Tensor> = {}): Contender {
  const fetches = Object.fromEntries(session.outputNames.map((output) => [output, tensor([setting.rows, to])]))
  return { name, session, feeds: { x: tensor([setting.rows, from]), ...weights }, fetches, leastMs: Infinity, leastCpuMs: Infinity }
}

async function contenders(setting: Setting): Promise<Contender[]> {
  const { in: k, out: n } = setting
  const dense = await open(setting, (b, layer) => {
    const weight = b.initializer({ name: `w${layer}`, type: 'float32', dims: [k, n], data: new Uint8Array(filled(k * n, layer).buffer) })
    return b.one('MatMul', ['x', weight])
  })
  const list = [contender('float32', dense, setting, [k, n])]
  for (const [bits, backward] of [...setting.bits.map((bits) => [bits, 0] as const), ...setting.backwardBits.map((bits) => [bits, 1] as const)]) {
    const weights: Record<string, Tensor> = {}
    const session = await open(setting, (b, layer) => {
      weights[`codes${layer}`] = { type: 'uint8', dims: [n, k * bits / 8], data: new Uint8Array(n * k * bits / 8).fill(0x5a) }
      weights[`scales${layer}`] = tensor([n, k / group])
      const inputs = ['x', b.input(`codes${layer}`, 'uint8', [n, k * bits / 8]), b.input(`scales${layer}`, 'float32', [n, k / group])]
      return b.one('QMatMul', inputs, { K: { int: k }, bits: { int: bits }, group: { int: group }, backward: { int: backward } }, { domain: 'halftone' })
    })
    list.push(contender(`${bits} bits${backward ? ' backward' : ''}`, session, setting, backward ? [n, k] : [k, n], weights))
  }
  return list
}

export async function bench(): Promise<Record<string, unknown>[]> {
  const results: Record<string, unknown>[] = []
  for (const setting of settings) {
    const list = await contenders(setting)
    for (let round = 0; round < setting.rounds; round++) {
      for (const one of list) {
        const [start, before] = [performance.now(), process.cpuUsage()]
        await one.session.run(one.feeds, one.fetches)
        const { user, system } = process.cpuUsage(before)
        one.leastMs = Math.min(one.leastMs, performance.now() - start)
        one.leastCpuMs = Math.min(one.leastCpuMs, (user + system) / 1000)
      }
    }
    const { rows, in: k, out: n, layers, rounds } = setting
    const conditions = { rows, in: k, out: n, layers, group, rounds, threads: 1, simd: kernels().simd(), runtime: runtime().version }
    for (const { name, leastMs, leastCpuMs, session } of list) {
      session.dispose()
      results.push({ name, ...conditions, ms: leastMs, cpuMs: leastCpuMs, gflops: 2 * rows * k * n * layers / leastCpuMs / 1e6, speedup: (list[0]?.leastCpuMs ?? NaN) / leastCpuMs })
    }
  }
  return results
}

if (import.meta.main) {
  for (const result of await bench()) process.stdout.write(`${JSON.stringify(result)}\n`)
}
