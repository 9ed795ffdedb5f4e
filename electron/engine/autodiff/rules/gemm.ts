/** @file Y = α A′ B′ + β C, where ′ is an optional transpose: dA and dB are Gemms again, with the flags exchanged. */
import type { Rule } from '../rule.ts'

export const gemm: Rule = (g, node) => {
  const { inputs: [a, b, c], dy } = node
  const [transA, transB] = [node.int('transA', 0), node.int('transB', 0)]
  const alpha = node.float('alpha', 1)
  const product = (left: string, right: string, leftTransposed: number, rightTransposed: number): string =>
    g.one('Gemm', [left, right], { ...(leftTransposed === 1 && { transA: { int: 1 } }), ...(rightTransposed === 1 && { transB: { int: 1 } }), ...(alpha !== 1 && { alpha: { float: alpha } }) })
  return [
    () => (transA === 0 ? product(dy, b, 0, 1 - transB) : product(b, dy, transB, 1)),
    () => (transB === 0 ? product(a, dy, 1 - transA, 0) : product(dy, a, 1, transA)),
    () => g.unbroadcast(g.scale(dy, node.float('beta', 1)), c),
  ]
}
