/** @file y = x with zeros around (or cut, where a pad is negative): dx = dy with the opposite pads. */
import { AppError } from '../../../contract/errors.ts'
import type { Rule } from '../rule.ts'

export const pad: Rule = (g, node) => {
  const { inputs: [x, pads, , axes = ''], dy } = node
  return [() => {
    const mode = node.text('mode', 'constant')
    if (mode !== 'constant') throw new AppError('unsupported-operator', `${node.where}: found mode '${mode}' on axes of unknown size, expected known sizes`, { hint: 'Export the model with fixed input sizes.' })
    const opposite = g.numbers(pads)
    const amounts = opposite === null ? g.neg(pads) : g.ints(opposite.map((amount) => 0 - amount))
    return g.reshapeLike(g.one('Pad', axes === '' ? [dy, amounts] : [dy, amounts, '', axes]), x)
  }, null, null, null]
}
