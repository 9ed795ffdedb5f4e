/** @file y = [a, b, …] along an axis: each gets its part of dy. */
import { axisOf } from '../../graph/shapes/rule.ts'
import type { Rule } from '../rule.ts'

export const concat: Rule = (g, node) => {
  const { inputs, dy } = node
  const axis = axisOf(node.int('axis', 0), g.rank(inputs[0]), node.where)
  const parts = (): readonly string[] => {
    const sizes = inputs.map((input) => g.shape(input)[axis] ?? null)
    const numbers = sizes.filter((size) => typeof size === 'number')
    const amounts = numbers.length === sizes.length ? g.ints(numbers) : g.one('Concat', inputs.map((input) => g.size(input, axis)), { axis: { int: 0 } })
    return g.node('Split', [dy, amounts], { axis: { int: axis } }, { outputs: inputs.length })
  }
  return inputs.map((_, index) => () => (inputs.length === 1 ? dy : parts()[index] ?? ''))
}
