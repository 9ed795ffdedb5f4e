/** @file Runs small graphs on plain arrays of numbers, for checks. */
import { encodeModel } from '../../graph/encode.ts'
import { elementCount } from '../../graph/element.ts'
import { prune } from '../../graph/prune.ts'
import { runtime } from '../../../../kernels/runtime.ts'
import { toDouble } from './double.ts'
import type { Tensor } from '../../../../kernels/kernels.ts'
import type { Graph } from '../../graph/graph.ts'

export interface Values {
  readonly dims: readonly number[]
  readonly data: readonly number[]
}

export type Run = (inputs: Readonly<Record<string, Tensor>>) => Promise<Record<string, Values>>

/** A runner of the graph; double graphs are written by operators with double kernels. */
export async function open(graph: Graph): Promise<{ run: Run; close: () => void }> {
  const isDouble = graph.inputs.some(({ type }) => type === 'float64')
  const session = await runtime().createSession(encodeModel(isDouble ? prune(toDouble(graph)) : graph), { threads: 1 })
  return {
    async run(inputs) {
      const feeds = Object.fromEntries(Object.entries(inputs).filter(([name]) => session.inputNames.includes(name)))
      const made = await session.run(feeds, Object.fromEntries(session.outputNames.map((name) => [name, null])))
      return Object.fromEntries(Object.entries(made).map(([name, { dims, data }]) => [name, { dims, data: Array.from<number | bigint, number>(data, Number) }]))
    },
    close: () => session.dispose(),
  }
}

export function float64(dims: readonly number[], data: readonly number[]): Tensor {
  return { type: 'float64', dims, data: Float64Array.from(data) }
}

export function float32(dims: readonly number[], data: readonly number[]): Tensor {
  return { type: 'float32', dims, data: Float32Array.from(data) }
}

/** Numbers in [low, high) from a seed (Park–Miller); neighbours differ enough to keep maxima apart. */
export function random(seed: number, dims: readonly number[], low = -1, high = 1): number[] {
  let state = (seed * 48271 + 11) % 2147483647
  return Array.from({ length: elementCount(dims) }, () => {
    state = (state * 48271) % 2147483647
    return low + ((high - low) * state) / 2147483647
  })
}
