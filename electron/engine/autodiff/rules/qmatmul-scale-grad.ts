/**
 * @file S(A, dY) = gradient of the scales of Y = A Ŵᵀ, linear in A and dY. For V in the shape of the scales, ⟨V, S⟩ = ⟨dY, A Ŵᵥᵀ⟩, where Ŵᵥ
 * has V for its scales: so the gradients are the two forms of QMatMul with V.
 */
import { AppError } from '../../../contract/errors.ts'
import { packedFormat } from '../packed.ts'
import type { Rule } from '../rule.ts'

export const qmatmulScaleGrad: Rule = (g, node) => {
  const { inputs: [a, dy, codes, , zeros = ''], dy: v } = node
  const weight = zeros === '' ? [codes, v] : [codes, v, zeros]
  const format = packedFormat(node)
  return [
    () => g.one('QMatMul', [dy, ...weight], { ...format, backward: { int: 1 } }, { domain: 'halftone' }),
    () => g.one('QMatMul', [a, ...weight], format, { domain: 'halftone' }),
    null,
    null,
    () => {
      throw new AppError('unsupported-operator', `${node.where}: the gradient of its zero points is asked for; expected inputs`, { hint: 'Keep the zero points fixed.' })
    },
  ]
}
