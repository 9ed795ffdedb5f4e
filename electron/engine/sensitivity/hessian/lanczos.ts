/**
 * @file The density of a Hessian's eigenvalues by stochastic Lanczos quadrature (Golub & Meurant 2010; Ghorbani et al. 2019): from a random
 * unit vector, m Lanczos steps give a tridiagonal T whose eigenvalues are nodes and whose eigenvectors' first components squared are weights.
 * Vectors are orthogonalized against all before them.
 */
import type { Context } from '../../../contract/events.ts'
import { eigenSymmetric } from '../../correct/symmetric.ts'
import { hashOf, rademacher } from '../gradients/rademacher.ts'
import { addScaled, inner, scaled, type HessianOperator, type Vector } from './operator.ts'

/** One probe's quadrature: the density is Σ weight·δ(node). */
export interface Quadrature {
  readonly nodes: readonly number[]
  /** Sum to 1. */
  readonly weights: readonly number[]
}

export interface LanczosOptions {
  readonly steps: number
  readonly seed: number
  readonly advance?: (step: number) => void
}

/** Residuals this small beside the largest coefficient mean that the space is exhausted. */
const BREAKDOWN = 1e-6

/** Quadrature from one random start. */
export async function lanczos(operator: HessianOperator, { steps, seed, advance }: LanczosOptions, { signal }: Pick<Context, 'signal'>): Promise<Quadrature> {
  const start: Vector = new Map(operator.layers.map(({ name, shape: [rows, cols] }) => [name, rademacher(rows * cols, hashOf(`${seed}/${name}`))]))
  const basis: Vector[] = [scaled(start, 1 / Math.sqrt(inner(start, start)))]
  const diagonal: number[] = []
  const off: number[] = []
  for (let step = 0; step < steps; step++) {
    const v = basis[step]
    const next = await operator.apply(v, signal)
    diagonal.push(inner(v, next))
    // Twice is enough: single precision loses orthogonality in one go.
    for (let pass = 0; pass < 2; pass++) for (const vector of basis) addScaled(next, -inner(vector, next), vector)
    const norm = Math.sqrt(inner(next, next))
    advance?.(step)
    if (step === steps - 1 || norm <= BREAKDOWN * Math.max(...diagonal.map(Math.abs), ...off)) break
    off.push(norm)
    basis.push(scaled(next, 1 / norm))
  }
  const n = diagonal.length
  const matrix = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    matrix[i * n + i] = diagonal[i]
    if (i + 1 < n) matrix[i * n + i + 1] = matrix[(i + 1) * n + i] = off[i]
  }
  const { values, vectors } = eigenSymmetric(matrix, n)
  return { nodes: [...values], weights: Array.from(values, (_, j) => vectors[j] ** 2) }
}
