/**
 * @file Y = A Ŵᵀ on packed weights, or with `backward` Y = A Ŵ: the gradient of A is the other of the two on the same codes. Ŵ is linear
 * in its scales, so their gradient is QMatMulScaleGrad; the codes have none.
 */
import { AppError } from '../../../contract/errors.ts'
import { packedFormat } from '../packed.ts'
import type { Rule } from '../rule.ts'

export const qmatmul: Rule = (g, node) => {
  const { inputs: [a, codes, scales, zeros = ''], dy } = node
  const weight = zeros === '' ? [codes, scales] : [codes, scales, zeros]
  const isBackward = node.int('backward', 0) !== 0
  const format = packedFormat(node)
  return [
    () => g.one('QMatMul', [dy, ...weight], isBackward ? format : { ...format, backward: { int: 1 } }, { domain: 'halftone' }),
    null,
    () => g.one('QMatMulScaleGrad', isBackward ? [dy, a, ...weight] : [a, dy, ...weight], format, { domain: 'halftone' }),
    () => {
      throw new AppError('unsupported-operator', `${node.where}: the gradient of its zero points is asked for; expected inputs or scales`, { hint: 'Keep the zero points fixed.' })
    },
  ]
}
