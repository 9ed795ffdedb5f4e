/** @file y = maximum of each window: dx = dy added to zeros at the places of the maxima. */
import type { Rule } from '../rule.ts'

export const maxPool: Rule = (g, { inputs: [x], outputs: [y], dy }) => [() => {
  const flat = (value: string): string => g.reshape(value, [-1])
  const indices = g.extraOutput(y, 1)
  return g.reshapeLike(g.one('ScatterElements', [flat(g.zerosLike(x)), flat(indices), flat(dy)], { reduction: { string: 'add' } }), x)
}]
