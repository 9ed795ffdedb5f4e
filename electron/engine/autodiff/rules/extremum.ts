/** @file y = max(a, b, …) or min: dy goes to the operand that was chosen, in equal parts where several are equal. */
import type { Rule } from '../rule.ts'

export const extremum: Rule = (g, { inputs, outputs: [y], dy }) => {
  const chosen = (input: string): string => g.cast(g.compare('Equal', input, y), g.type(y))
  const count = (): string => inputs.map(chosen).reduce((sum, one) => g.add(sum, one))
  return inputs.map((input) => () => g.unbroadcast(g.div(g.mul(dy, chosen(input)), count()), input))
}
