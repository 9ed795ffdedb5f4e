/**
 * @file How far a graph's outputs are from the original's: signal to noise, cosine, and for outputs that are classes the
 * Kullback-Leibler divergence and how often the most likely class is the same. Sums over samples, so that batches add up.
 */
import { kernels, type Tensor } from '../../../kernels/kernels.ts'
import type { OutputQuality } from '../../contract/graph.ts'
import type { ClassOutput } from './classes.ts'

export type Outputs = Readonly<Record<string, Tensor>>

interface Sums {
  signal: number
  other: number
  noise: number
  dot: number
  rows: number
  same: number
  kl: number
}

export interface Comparison {
  /** Adds a sample: the outputs of the original and of the other graph. */
  add(reference: Outputs, found: Outputs): Promise<void>
  /** One entry an output of floating-point numbers. */
  qualities(): OutputQuality[]
  /**
   * Mean divergence of the samples so far: KL of the classes, and where there are none the squared error of all outputs over their
   * squared size.
   */
  divergence(): number
}

/** Smallest probability whose logarithm is taken. */
const leastProbability = 1e-30
/** SQNR of equal outputs, in decibels: more than float32 can tell apart. */
const sqnrMost = 200

const logarithms = (values: Float32Array): Float32Array => values.map((value) => Math.log(Math.max(value, leastProbability)))

export async function floatValues({ type, data }: Tensor): Promise<Float32Array | null> {
  if (data instanceof Float32Array) return data
  if (data instanceof Float64Array) return Float32Array.from(data)
  if (type !== 'float16' || !(data instanceof Uint16Array)) return null
  const out = new Float32Array(data.length)
  await kernels().decode('F16', { rows: 1, cols: data.length }, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), out)
  return out
}

/** An empty comparison over outputs of which `classes` are classes. */
export function createComparison(classes: readonly ClassOutput[]): Comparison {
  const sums = new Map<string, Sums>()

  async function addClasses(held: Sums, x: Float32Array, y: Float32Array, count: number, { isProbability }: ClassOutput): Promise<void> {
    const rows = x.length / count
    const [nll, kl, same] = [new Float64Array(rows), new Float64Array(rows), new Uint8Array(rows)]
    const [reference, found] = isProbability ? [logarithms(x), logarithms(y)] : [x, y]
    await kernels().score(found, reference, new Int32Array(rows), rows, count, nll, kl, same)
    held.rows += rows
    held.kl += kl.reduce((sum, value) => sum + value, 0)
    held.same += same.reduce((sum, value) => sum + value, 0)
  }

  return {
    async add(reference, found) {
      for (const [name, tensor] of Object.entries(reference)) {
        const x = await floatValues(tensor)
        const y = found[name] === undefined ? null : await floatValues(found[name])
        if (x === null || y === null || x.length !== y.length) continue
        const held = sums.get(name) ?? { signal: 0, other: 0, noise: 0, dot: 0, rows: 0, same: 0, kl: 0 }
        sums.set(name, held)
        for (let at = 0; at < x.length; at++) {
          const difference = x[at] - y[at]
          held.signal += x[at] * x[at]
          held.other += y[at] * y[at]
          held.noise += difference * difference
          held.dot += x[at] * y[at]
        }
        const own = classes.find(({ output }) => output === name)
        const count = tensor.dims.at(-1) ?? 1
        if (own !== undefined && count > 1) await addClasses(held, x, y, count, own)
      }
    },
    qualities: () => [...sums].map(([name, { signal, other, noise, dot, rows, same, kl }]) => ({
      name,
      sqnr: noise === 0 ? sqnrMost : Math.min(sqnrMost, 10 * Math.log10(signal / noise)),
      cosine: signal === 0 && other === 0 ? 1 : dot / Math.sqrt(signal * other),
      ...(rows > 0 && { sameTop: same / rows, klMean: Math.max(0, kl / rows) }), // sums in float32 may fall below zero
    })),
    divergence() {
      const all = [...sums.values()]
      const scored = all.filter(({ rows }) => rows > 0)
      const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
      return scored.length > 0 ? mean(scored.map(({ kl, rows }) => Math.max(0, kl / rows))) : mean(all.map(({ signal, noise }) => (signal > 0 ? noise / signal : noise)))
    },
  }
}
