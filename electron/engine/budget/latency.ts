/**
 * @file Times of one token's product per (shape, option), measured on this machine in ONNX Runtime (the idea of OHQ, Huang et
 * al. 2023): the operators of the export on random weights, one row of activations, the least of several runs. Layers of one
 * shape share a measurement; the table is kept in a file and used again on the same machine.
 */
import os from 'node:os'
import { runtime } from '../../../kernels/runtime.ts'
import type { Context } from '../../contract/events.ts'
import { createBuilder } from '../graph/builder.ts'
import { byteLength } from '../graph/element.ts'
import { encodeModel } from '../graph/encode.ts'
import type { Initializer } from '../graph/graph.ts'
import type { ExternalData, Part } from '../export/onnx-data.ts'
import { multiply, storeWeight, type WeightStore } from '../export/onnx-layers.ts'
import type { Milliseconds } from './constraints.ts'
import { openTimes, runMs } from './times.ts'

/** A layer that multiplies with every token. */
export interface TimedLayer {
  readonly shape: readonly number[]
  readonly options: readonly string[]
}

export interface LatencyOptions {
  /** Where the table is kept between runs. */
  readonly file?: string
  readonly threads?: number
}

/** Weights of the matrix that is timed; a taller one takes as much longer as it has more rows. */
const maxWeights = 1 << 24

/** The time of one token in a layer as a function, from a table that holds every (shape, option) of `layers`. */
export async function measureLatencies(layers: readonly TimedLayer[], { file, threads = os.availableParallelism() }: LatencyOptions, { signal }: Pick<Context, 'signal'>): Promise<Milliseconds> {
  const times = await openTimes(file, threads)
  const found = new Map<string, number>()
  for (const { shape: [rows, cols], options } of layers) {
    for (const option of options) {
      signal.throwIfAborted()
      const key = keyOf(rows, cols, option)
      found.set(key, await times.of(key, () => timeProduct(rows, cols, option, threads, signal)))
    }
  }
  await times.save()
  return ({ shape: [rows, cols], name }, option) => {
    const time = found.get(keyOf(rows, cols, option))
    if (time === undefined) throw new Error(`${name} as ${option} was not timed`)
    return time
  }
}

function keyOf(rows: number, cols: number, option: string): string {
  return `${rows}x${cols} ${option}`
}

async function timeProduct(rows: number, cols: number, option: string, threads: number, signal: AbortSignal): Promise<number> {
  const timedRows = Math.min(rows, Math.max(1, Math.floor(maxWeights / cols)))
  const b = createBuilder({ '': 21, 'com.microsoft': 1 })
  const store: WeightStore = { b, data: randomData(), accuracy: 'balanced', read: () => Promise.reject(new Error('random weights are not read')) }
  const x = b.input('x', 'float32', [1, 1, cols])
  b.output(multiply(store, x, storeWeight(store, 'weight', [timedRows, cols], option), null), 'float32', [1, 1, timedRows])
  const session = await runtime().createSession(encodeModel(b.build('product')), { threads })
  try {
    return ((await runMs(session, { x: { type: 'float32', dims: [1, 1, cols], data: new Float32Array(cols).fill(0.5) } }, signal)) * rows) / timedRows
  } finally {
    session.dispose()
  }
}

/** Initializers with values at hand in place of ranges of a file. */
function randomData(): Pick<ExternalData, 'add'> {
  return { add: (_, parts): readonly Initializer[] => parts.map((part) => ({ ...part, data: anyValues(part) })) }
}

/** Values of no meaning that take as long as any: codes of all kinds, small scales. */
export function anyValues({ type, dims }: Pick<Part, 'type' | 'dims'>): Uint8Array {
  const bytes = new Uint8Array(byteLength(type, dims))
  if (type === 'float16') new Uint16Array(bytes.buffer).fill(0x2000) // 2^-7
  else if (type === 'float32') new Float32Array(bytes.buffer).fill(0.01)
  else for (let at = 0; at < bytes.length; at++) bytes[at] = Math.imul(at, 0x9e3779b1) >>> 24
  return bytes
}
