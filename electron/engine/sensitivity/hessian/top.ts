/**
 * @file The largest eigenvalues, by magnitude, of the loss Hessian restricted to one layer: power iteration with the Rayleigh quotient, the
 * ones found before kept out by orthogonal projection (HAWQ, §3; PyHessian's loop). Each step is a Hessian-vector product over all samples.
 */
import type { Context } from '../../../contract/events.ts'
import { hashOf, rademacher } from '../gradients/rademacher.ts'
import { addScaled, inner, scaled, type HessianOperator, type Vector } from './operator.ts'

export interface TopOptions {
  /** How many eigenvalues. */
  readonly count?: number
  /** Relative change of an eigenvalue between steps at which it is taken. */
  readonly tolerance?: number
  readonly steps?: number
  readonly seed: number
}

/** Eigenvalues by falling magnitude. */
export async function topEigenvalues(operator: HessianOperator, { count = 1, tolerance = 1e-3, steps = 100, seed }: TopOptions, { signal }: Pick<Context, 'signal'>): Promise<number[]> {
  const found: { value: number; vector: Vector }[] = []
  for (let rank = 0; rank < count; rank++) {
    let v: Vector = new Map(operator.layers.map(({ name, shape: [rows, cols] }) => [name, rademacher(rows * cols, hashOf(`${seed}/${rank}/${name}`))]))
    let value = 0
    for (let step = 0; step < steps; step++) {
      for (const { vector } of found) addScaled(v, -inner(vector, v), vector)
      const norm = Math.sqrt(inner(v, v))
      if (norm === 0) break
      v = scaled(v, 1 / norm)
      const product = await operator.apply(v, signal)
      const next = inner(v, product)
      const isSettled = step > 1 && Math.abs(next - value) <= tolerance * Math.abs(next)
      value = next
      if (isSettled) break
      v = product
    }
    const norm = Math.sqrt(inner(v, v))
    found.push({ value, vector: norm === 0 ? v : scaled(v, 1 / norm) })
  }
  return found.map(({ value }) => value)
}
