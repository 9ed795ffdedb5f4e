/**
 * @file Y = Einsum(A, B, …): the gradient of an operand is an Einsum of dY and the others, with the labels of that operand as the
 * result. Labels that only the operand has were summed: there the gradient is repeated.
 */
import { AppError } from '../../../contract/errors.ts'
import { operands } from '../../graph/shapes/einsum.ts'
import type { Rule } from '../rule.ts'
import type { Algebra } from '../../graph/algebra.ts'

export const einsum: Rule = (g, node) => {
  const { inputs, dy } = node
  const parsed = operands(node.text('equation', ''), inputs.map((input) => g.rank(input)), node.where)
  return inputs.map((input, index) => () => {
    const own = parsed?.inputs[index] ?? []
    if (new Set(own).size < own.length) {
      throw new AppError('unsupported-operator', `${node.where}: found a repeated label in '${node.text('equation', '')}', expected each axis once per operand`, { hint: 'Freeze what is before this node, or replace the diagonal by Gather in the model.' })
    }
    const others = inputs.flatMap((name, other) => (other === index ? [] : [{ name, labels: parsed?.inputs[other] ?? [] }]))
    const terms = [{ name: dy, labels: parsed?.output ?? [] }, ...others]
    const reachable = own.filter((label) => terms.some(({ labels }) => labels.includes(label)))
    const gradient = contract(g, terms, reachable)
    const missing = own.flatMap((label, axis) => (reachable.includes(label) ? [] : [axis]))
    // Along a broadcast axis (ellipsis of size 1) the gradient is larger than the operand.
    return missing.length === 0 ? g.unbroadcast(gradient, input) : g.expandLike(g.unsqueeze(gradient, missing), input)
  })
}

interface Term {
  readonly name: string
  readonly labels: readonly string[]
}

/** Einsum with fresh letters, as labels of an ellipsis have none. */
function contract(g: Algebra, terms: readonly Term[], result: readonly string[]): string {
  const letters = new Map([...new Set(terms.flatMap(({ labels }) => labels))].map((label, index) => [label, String.fromCharCode(index < 26 ? 97 + index : 39 + index)]))
  const write = (labels: readonly string[]): string => labels.map((label) => letters.get(label) ?? '').join('')
  const equation = `${terms.map(({ labels }) => write(labels)).join(',')}->${write(result)}`
  return g.one('Einsum', terms.map(({ name }) => name), { equation: { string: equation } })
}
