/** @file y = γ (x − μ) / √(σ² + ε) + β with given statistics, per channel: linear in x. dσ² = −½ γ Σ dy (x − μ) (σ² + ε)^(−3/2). */
import { AppError } from '../../../contract/errors.ts'
import type { Rule } from '../rule.ts'

export const batchNormalization: Rule = (g, node) => {
  const { inputs: [x, scale, , mean, variance], dy } = node
  if (node.int('training_mode', 0) !== 0) {
    throw new AppError('unsupported-operator', `${node.where}: found training mode, expected inference`, { hint: 'Export the model for inference (model.eval()).' })
  }
  const channels = (value: string): string => g.unsqueeze(value, g.shape(x).slice(2).map((_, axis) => axis + 1))
  const summed = (value: string): string => g.sum(value, g.shape(x).flatMap((_, axis) => (axis === 1 ? [] : [axis])))
  const inverse = (): string => g.unary('Reciprocal', g.unary('Sqrt', g.add(variance, g.scalar(node.float('epsilon', 1e-5), variance))))
  const slope = (): string => g.mul(scale, inverse())
  const dscale = (): string => g.mul(summed(g.mul(dy, g.sub(x, channels(mean)))), inverse())
  return [
    () => g.mul(dy, channels(slope())),
    dscale,
    () => summed(dy),
    () => g.neg(g.mul(summed(dy), slope())),
    () => g.scale(g.mul(dscale(), g.mul(slope(), inverse())), -0.5),
  ]
}
