/**
 * @file Y = A B: dA = dY Bᵀ, dB = Aᵀ dY. A two-dimensional B (a weight) is read transposed by Gemm, which makes no copy of it;
 * batched products sum over the batch axes that were broadcast.
 */
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
    () => g.reshapeLike(g.unbroadcast(g.matmul(seed(), g.swap(right())), left()), a),
    () => g.reshapeLike(g.unbroadcast(g.matmul(g.swap(left()), seed()), right()), b),
  ]
}

/** a: [..., k], b: [k, n], dy: [..., n] */
function weighted(g: Algebra, a: string, b: string, dy: string): ReturnType<Rule> {
  const rows = (x: string, columns: readonly [string, number]): string => g.reshape(x, [-1, columns])
  return [
    () => g.reshapeLike(g.one('Gemm', [rows(dy, [b, 1]), b], { transB: { int: 1 } }), a),
    () => g.one('Gemm', [rows(a, [b, 0]), rows(dy, [b, 1])], { transA: { int: 1 } }),
  ]
}
