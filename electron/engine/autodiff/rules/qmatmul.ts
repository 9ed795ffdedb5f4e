/**
 * @file Y = A Ŵᵀ on packed weights, or with `backward` Y = A Ŵ: the gradient of A is the other of the two on the same codes. Ŵ = s (q − z)
 * is linear in its scales, so their gradient is QMatMulScaleGrad, and dz = −s Σ dŴ over a group, for which inputs are summed first:
 * with X the operand of the columns, Σ dŴ = dYᵀ (Σ X). What is asked for codes is given one by one for the weights they
 * stand for: dŴ = dYᵀ X, [out, in].
 */
import { packedFormat } from '../packed.ts'
import type { Rule } from '../rule.ts'

export const qmatmul: Rule = (g, node) => {
  const { inputs: [a, codes, scales, zeros = ''], dy } = node
  const weight = zeros === '' ? [codes, scales] : [codes, scales, zeros]
  const isBackward = node.int('backward', 0) !== 0
  const format = packedFormat(node)
  const [columns, rows] = isBackward ? [dy, a] : [a, dy]
  return [
    () => g.one('QMatMul', [dy, ...weight], isBackward ? format : { ...format, backward: { int: 1 } }, { domain: 'halftone' }),
    () => g.one('Gemm', [g.reshape(rows, [-1, [scales, 0]]), g.reshape(columns, [-1, node.int('K', 0)])], { transA: { int: 1 } }),
    () => g.one('QMatMulScaleGrad', [columns, rows, ...weight], format, { domain: 'halftone' }),
    () => {
      const cols = node.int('K', 0)
      const group = node.int('group', 0) || cols
      const summed = g.sum(g.reshape(columns, [-1, cols / group, group]), [2])
      const flat = g.reshape(rows, [-1, [scales, 0]])
      return g.neg(g.mul(scales, g.one('Gemm', [flat, summed], { transA: { int: 1 } })))
    },
  ]
}
