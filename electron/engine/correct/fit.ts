/**
 * @file The best low-rank branch of every rank at once. With U the leading eigenvectors of ΔMΔᵀ, BA = U·UᵀΔ is the matrix of that
 * rank nearest to Δ in the metric M = GGᵀ: it equals SVD_r(ΔG)·G⁻¹, without a factor or an inverse of M. Component i takes
 * a_i·H·a_iᵀ off the output error, so one fit tells the error of all smaller ranks.
 */
import { kernels, type Shape } from '../../../kernels/kernels.ts'
import type { LayerAdapter } from './adapter.ts'
import type { Correction } from './corrections.ts'
import type { CorrectionInputs } from './inputs.ts'
import { leadingSubspace } from './subspace.ts'

export interface LowRankFit {
  readonly shape: Shape
  readonly rank: number
  /** U, [out, rank], orthonormal columns, strongest first. */
  readonly directions: Float32Array
  /** UᵀΔ, [rank, in]. */
  readonly projection: Float32Array
  /** What each component takes off tr(ΔHΔᵀ) per token; off ‖Δ‖² where nothing is known of the inputs. */
  readonly gains: Float64Array
}

/** a·M·b summed along rows: the diagonal of A·(M·Aᵀ) for A [rank, cols]. */
async function energies(projection: Float32Array, rank: number, cols: number, inputs: CorrectionInputs | null): Promise<Float64Array> {
  let weighted = projection
  if (inputs) {
    weighted = new Float32Array(projection.length)
    await kernels().matmul(projection, await inputs.hessian(), rank, cols, cols, false, false, weighted)
  }
  return Float64Array.from({ length: rank }, (_, row) => {
    let sum = 0
    for (let col = row * cols; col < (row + 1) * cols; col++) sum += projection[col] * weighted[col]
    return sum
  })
}

/** Fits branches of up to `rank` to delta [out, in]. */
export async function fitLowRank(delta: Float32Array, shape: Shape, { weigh }: Correction, inputs: CorrectionInputs | null, rank: number, signal?: AbortSignal): Promise<LowRankFit> {
  const { rows, cols } = shape
  const { vectors, count } = await leadingSubspace(async (x, width) => {
    const inner = new Float32Array(cols * width)
    await kernels().matmul(delta, x, cols, width, rows, true, false, inner)
    const image = new Float32Array(rows * width)
    await kernels().matmul(delta, weigh && inputs ? await weigh(inner, width, inputs) : inner, rows, width, cols, false, false, image)
    return image
  }, rows, Math.min(rank, rows, cols), signal)
  const projection = new Float32Array(count * cols)
  await kernels().matmul(vectors, delta, count, cols, rows, true, false, projection)
  return { shape, rank: count, directions: vectors, projection, gains: await energies(projection, count, cols, inputs) }
}

/** The first `rank` components as a branch with factor 1, the size of each shared evenly between A and B. */
export function branchOf(layer: string, { shape: { rows, cols }, rank: all, directions, projection }: LowRankFit, rank: number): LayerAdapter {
  const a = new Float32Array(rank * cols)
  const b = new Float32Array(rows * rank)
  for (let component = 0; component < rank; component++) {
    const own = projection.subarray(component * cols, (component + 1) * cols)
    let square = 0
    for (const value of own) square += value * value
    const root = square ** 0.25 || 1
    for (let col = 0; col < cols; col++) a[component * cols + col] = own[col] / root
    for (let row = 0; row < rows; row++) b[row * rank + component] = directions[row * all + component] * root
  }
  return { layer, rank, alpha: rank, a, b }
}

/** The output error left by a branch of each rank up to the fit's: `total` without one. */
export function residuals({ gains }: LowRankFit, total: number): Float64Array {
  let left = total
  return Float64Array.from([0, ...gains], (gain) => (left = Math.max(left - gain, 0)))
}
