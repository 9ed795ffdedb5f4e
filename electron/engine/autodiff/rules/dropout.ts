/** @file Dropout when not training is the identity. */
import { AppError } from '../../../contract/errors.ts'
import type { Rule } from '../rule.ts'

export const dropout: Rule = (g, { inputs: [, , training = ''], dy, where }) => {
  if (training !== '' && g.numbers(training)?.[0] !== 0) {
    throw new AppError('unsupported-operator', `${where}: found training mode, expected inference`, { hint: 'Export the model for inference (model.eval()).' })
  }
  return [() => dy, null, null]
}
