/** @file y = x with updates put (or added) at indices: dupdates = dy at the indices; dx = dy, with zeros there where they were replaced. */
import { AppError } from '../../../contract/errors.ts'
import type { Rule } from '../rule.ts'

/** ScatterElements and ScatterND differ in how places are named, and so in the operator that reads them back. */
const readers = { ScatterElements: 'GatherElements', ScatterND: 'GatherND' } as const

function rule(op: keyof typeof readers): Rule {
  return (g, node) => {
    const { inputs: [, indices, updates], dy } = node
    const reduction = node.text('reduction', 'none')
    if (reduction !== 'none' && reduction !== 'add') {
      throw new AppError('unsupported-operator', `${node.where}: found reduction '${reduction}', expected none or add`, { hint: 'Freeze what is before this node, or cut the model there.' })
    }
    const axis = op === 'ScatterElements' ? { axis: { int: node.int('axis', 0) } } : {}
    return [
      () => (reduction === 'add' ? dy : g.one(op, [dy, indices, g.zerosLike(updates)], axis)),
      null,
      () => g.one(readers[op], [dy, indices], axis),
    ]
  }
}

export const scatterElements = rule('ScatterElements')
export const scatterND = rule('ScatterND')
