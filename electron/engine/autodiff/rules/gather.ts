/** @file y = x[…, indices, …] on an axis: dx = dy added to zeros at the indices. One constant index is a Pad. */
import { axisOf } from '../../graph/shapes/rule.ts'
import { scatterAlong } from '../scatter.ts'
import type { Rule } from '../rule.ts'

export const gather: Rule = (g, node) => {
  const { inputs: [x, indices], dy } = node
  return [() => {
    const axis = axisOf(node.int('axis', 0), g.rank(x), node.where)
    const size = g.shape(x)[axis]
    const [index, ...more] = g.numbers(indices) ?? []
    if (index !== undefined && more.length === 0 && typeof size === 'number' && g.rank(indices) < 2) {
      const place = index < 0 ? index + size : index
      const pads = new Array<number>(2 * g.rank(x)).fill(0)
      pads[axis] = place
      pads[axis + g.rank(x)] = size - 1 - place
      return g.one('Pad', [g.rank(indices) === 0 ? g.unsqueeze(dy, [axis]) : dy, g.ints(pads)])
    }
    return scatterAlong(g, dy, indices, axis, [x, axis])
  }, null]
}
