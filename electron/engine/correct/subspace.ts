/**
 * @file The leading eigenvectors of a symmetric operator K that is only applied, never formed: subspace iteration with a few more
 * vectors than wanted and a Rayleigh–Ritz step each time (Halko, Martinsson & Tropp 2011, §4.5). The start is seeded, so the
 * same operator gives the same vectors.
 */
import { setImmediate } from 'node:timers/promises'
import { createRandom } from '../evaluate/sampling.ts'
import { kernels } from '../../../kernels/kernels.ts'
import { eigenSymmetric } from './symmetric.ts'

/** K·X for X [size, count]. */
export type Operator = (x: Float32Array, count: number) => Promise<Float32Array>

export interface Subspace {
  /** [size, count], orthonormal columns, strongest first. */
  readonly vectors: Float32Array
  readonly count: number
}

/** Vectors beyond those wanted: they take up what the last ones would otherwise mix with. */
const OVERSAMPLING = 8
/** Growth of the captured energy below which another step is not worth it, and the most steps. */
const TOLERANCE = 1e-3
const STEPS_MAX = 12
const SEED = 1

/** Makes the columns of x [size, count] orthonormal by Gram–Schmidt, twice; columns that vanish stay zero. */
async function orthonormalize(x: Float32Array, size: number, count: number): Promise<Float32Array> {
  const columns = Array.from({ length: count }, (_, j) => Float64Array.from({ length: size }, (_, i) => x[i * count + j]))
  for (const [j, column] of columns.entries()) {
    const before = norm(column)
    for (let pass = 0; pass < 2; pass++) {
      for (let k = 0; k < j; k++) {
        const other = columns[k]
        let dot = 0
        for (let i = 0; i < size; i++) dot += column[i] * other[i]
        for (let i = 0; i < size; i++) column[i] -= dot * other[i]
      }
    }
    const length = norm(column)
    const scale = length > 1e-7 * before ? 1 / length : 0
    for (let i = 0; i < size; i++) column[i] *= scale
    await setImmediate()
  }
  const out = new Float32Array(size * count)
  for (const [j, column] of columns.entries()) for (let i = 0; i < size; i++) out[i * count + j] = column[i]
  return out
}

function norm(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value * value
  return Math.sqrt(sum)
}

/** Normal numbers by the sum of uniform ones. */
function start(size: number, count: number): Float32Array {
  const random = createRandom(SEED)
  return Float32Array.from({ length: size * count }, () => random() + random() + random() - 1.5)
}

/** The `wanted` leading eigenvectors of a positive semidefinite operator on vectors of `size`. */
export async function leadingSubspace(apply: Operator, size: number, wanted: number, signal?: AbortSignal): Promise<Subspace> {
  const count = Math.min(size, wanted + OVERSAMPLING)
  let basis = await orthonormalize(start(size, count), size, count)
  let captured = 0
  for (let step = 0; ; step++) {
    signal?.throwIfAborted()
    const image = await apply(basis, count)
    const small = new Float32Array(count * count)
    await kernels().matmul(basis, image, count, count, size, true, false, small)
    const symmetric = Float64Array.from({ length: count * count }, (_, at) => (small[at] + small[(at % count) * count + Math.floor(at / count)]) / 2)
    const { values, vectors } = eigenSymmetric(symmetric, count)
    const energy = values.subarray(0, wanted).reduce((sum, value) => sum + value, 0)
    if (step === STEPS_MAX || energy - captured <= TOLERANCE * energy) {
      const turned = new Float32Array(size * count)
      await kernels().matmul(basis, Float32Array.from(vectors), size, count, count, false, false, turned)
      const kept = Math.min(wanted, count)
      return { vectors: Float32Array.from({ length: size * kept }, (_, at) => turned[Math.floor(at / kept) * count + (at % kept)]), count: kept }
    }
    captured = energy
    basis = await orthonormalize(image, size, count)
  }
}
