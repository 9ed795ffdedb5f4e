/** @file Eigenvalues and vectors of a small symmetric matrix by cyclic Jacobi rotations (Golub & Van Loan, §8.5), in double. */

/** Off-diagonal mass, as a share of the whole, at which the rotations end. */
const TOLERANCE = 1e-22
/** Sweeps converge quadratically: ten are enough for any matrix. */
const SWEEPS_MAX = 30

export interface Eigen {
  /** Falling. */
  readonly values: Float64Array
  /** [n, n]; column j belongs to values[j]. */
  readonly vectors: Float64Array
}

/** One rotation that makes m[p, q] zero, applied to the vectors too. */
function rotate(m: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const off = m[p * n + q]
  if (off === 0) return
  const theta = (m[q * n + q] - m[p * n + p]) / (2 * off)
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
  const c = 1 / Math.sqrt(t * t + 1)
  const s = t * c
  for (let k = 0; k < n; k++) {
    const [a, b] = [m[k * n + p], m[k * n + q]]
    m[k * n + p] = c * a - s * b
    m[k * n + q] = s * a + c * b
  }
  for (let k = 0; k < n; k++) {
    const [a, b] = [m[p * n + k], m[q * n + k]]
    m[p * n + k] = c * a - s * b
    m[q * n + k] = s * a + c * b
  }
  for (let k = 0; k < n; k++) {
    const [a, b] = [vectors[k * n + p], vectors[k * n + q]]
    vectors[k * n + p] = c * a - s * b
    vectors[k * n + q] = s * a + c * b
  }
}

/** Decomposes a symmetric matrix [n, n]. */
export function eigenSymmetric(matrix: Float64Array, n: number): Eigen {
  const m = matrix.slice()
  const vectors = new Float64Array(n * n)
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep++) {
    let off = 0
    let all = 0
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) {
      all += m[i * n + j] ** 2
      if (i !== j) off += m[i * n + j] ** 2
    }
    if (off <= TOLERANCE * all) break
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(m, vectors, n, p, q)
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => m[b * n + b] - m[a * n + a])
  const sorted = new Float64Array(n * n)
  for (let i = 0; i < n; i++) for (const [j, from] of order.entries()) sorted[i * n + j] = vectors[i * n + from]
  return { values: Float64Array.from(order, (i) => m[i * n + i]), vectors: sorted }
}
