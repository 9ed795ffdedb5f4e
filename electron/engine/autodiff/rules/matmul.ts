/**
 * @file Y = A B: dA = dY Bᵀ, dB = Aᵀ dY. A two-dimensional B (a weight) is read transposed by Gemm, which makes no copy of it;
 * batched products sum over the batch axes that were broadcast.
 */
import { product } from '../../graph/shapes/dimension.ts'
import type { Rule } from '../rule.ts'
import type { Algebra } from '../../graph/algebra.ts'

export const matmul: Rule = (g, { inputs: [a, b], dy }) => {
  const [rankA, rankB] = [g.rank(a), g.rank(b)]
  if (rankB === 2 && rankA >= 2) return weighted(g, a, b, dy)
  // Vectors are matrices of one row or one column.
  const left = (): string => (rankA === 1 ? g.unsqueeze(a, [0]) : a)
  const right = (): string => (rankB === 1 ? g.unsqueeze(b, [1]) : b)
  const seed = (): string => {
    const columned = rankB === 1 ? g.unsqueeze(dy, [-1]) : dy
    return rankA === 1 ? g.unsqueeze(columned, [-2]) : columned
  }
  return [
    () => g.reshapeLike(g.unbroadcast(timesTransposed(g, seed(), right()), left()), a),
    () => g.reshapeLike(g.unbroadcast(transposedTimes(g, left(), seed()), right()), b),
  ]
}

/** x Bᵀ. A transposed weight would be computed, and held, before all else: there it is (B xᵀ)ᵀ. */
function timesTransposed(g: Algebra, x: string, b: string): string {
  return g.isLeaf(b) ? g.swap(g.matmul(b, g.swap(x))) : g.matmul(x, g.swap(b))
}

/** Aᵀ x, or (xᵀ A)ᵀ where A is a weight. */
function transposedTimes(g: Algebra, a: string, x: string): string {
  return g.isLeaf(a) ? g.swap(g.matmul(g.swap(x), a)) : g.matmul(g.swap(a), x)
}

/** a: [..., k], b: [k, n], dy: [..., n] */
function weighted(g: Algebra, a: string, b: string, dy: string): ReturnType<Rule> {
  return [
    () => g.reshapeLike(g.one('Gemm', [rows(g, dy, [b, 1]), b], { transB: { int: 1 } }), a),
    () => g.one('Gemm', [rows(g, a, [b, 0]), rows(g, dy, [b, 1])], { transA: { int: 1 } }),
  ]
}

/** [..., columns] as [rows, columns]. */
function rows(g: Algebra, x: string, columns: readonly [string, number]): string {
  const count = product(g.shape(x).slice(0, -1))
  return g.rank(x) === 2 ? x : g.reshape(x, [typeof count === 'number' ? count : -1, columns])
}
