/** @file y[i] = x[indices[i]]: dx = dy added to zeros at the same places. */
import { AppError } from '../../../contract/errors.ts'
import type { Rule } from '../rule.ts'

export const gatherND: Rule = (g, node) => {
  const { inputs: [x, indices], dy } = node
  return [() => {
    if (node.int('batch_dims', 0) !== 0) throw new AppError('unsupported-operator', `${node.where}: found batch_dims ${node.int('batch_dims', 0)}, expected 0`, { hint: 'Freeze what is before this node, or cut the model there.' })
    return g.one('ScatterND', [g.zerosLike(x), indices, dy], { reduction: { string: 'add' } })
  }, null]
}
