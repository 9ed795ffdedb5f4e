/**
 * @file Speed and quality of every codec, on one thread: millions of weights coded and decoded in a second, and the share of
 * the weighted squared signal that is lost, Σ c·(x − x̂)² / Σ c·x² with c = importance·sqrt(mean square of the row + x²), by
 * the plain recipe, by the search, and by llama.cpp's own search on the same weights (from the goldens).
 */
import os from 'node:os'
import { performance } from 'node:perf_hooks'
import type { CodecName } from '../../electron/contract/options.ts'
import { kernels, type FitMethod, type Shape } from '../kernels.ts'
import { allNames, decoded, encoded, goldens, weightsLike } from '../test/codec-goldens.ts'

const SHAPE: Shape = { rows: 128, cols: 2048 }
const RUNS = 3

/** The fastest of a few runs, in millions of weights a second. */
async function speed(run: () => Promise<unknown>): Promise<number> {
  let best = Infinity
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    await run()
    best = Math.min(best, performance.now() - start)
  }
  return Math.round(SHAPE.rows * SHAPE.cols / best / 100) / 10
}

/** Σ c·(x − found)² over the goldens' weights. */
function weighted(found: Float32Array): number {
  const { weights, importance, cols } = goldens.search
  let sum = 0
  for (let row = 0; row < weights.length; row += cols) {
    const x = weights.subarray(row, row + cols)
    const sigma2 = x.reduce((total, value) => total + value * value, 0) / cols
    x.forEach((value, j) => {
      sum += (importance[j] ?? 0) * Math.sqrt(sigma2 + value * value) * (value - (found[row + j] ?? 0)) ** 2
    })
  }
  return sum
}

async function errorOf(codec: CodecName, method: FitMethod): Promise<number> {
  const { weights, importance, cols } = goldens.search
  const shape = { rows: weights.length / cols, cols }
  return weighted(await decoded(codec, shape, await encoded(codec, shape, weights, importance, method)))
}

export async function bench(): Promise<Record<string, unknown>[]> {
  const signal = weighted(new Float32Array(goldens.search.weights.length))
  const x = weightsLike(SHAPE, 1)
  const importance = weightsLike({ rows: 1, cols: SHAPE.cols }, 2).map((value) => Math.exp(20 * value))
  kernels().setThreads(1)
  const results: Record<string, unknown>[] = []
  for (const codec of allNames) {
    const bytes = await encoded(codec, SHAPE, x, importance, 'nearest')
    const theirs = Object.entries(goldens.search.errors).find(([name]) => name === codec)?.[1]
    results.push({
      codec,
      threads: 1,
      simd: kernels().simd(),
      shape: [SHAPE.rows, SHAPE.cols],
      bitsPerWeight: bytes.length * 8 / x.length,
      nearestMillionsPerSecond: await speed(() => encoded(codec, SHAPE, x, importance, 'nearest')),
      searchMillionsPerSecond: await speed(() => encoded(codec, SHAPE, x, importance, 'search')),
      decodeMillionsPerSecond: await speed(() => decoded(codec, SHAPE, bytes)),
      lostByNearest: await errorOf(codec, 'nearest') / signal,
      lostBySearch: await errorOf(codec, 'search') / signal,
      ...(theirs !== undefined && { lostByLlamaCpp: theirs / signal }),
    })
  }
  kernels().setThreads(os.availableParallelism())
  return results
}
