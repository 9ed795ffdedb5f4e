/** @file The equation of an Einsum node, with the ellipsis written out as labels of its own. */
import { AppError } from '../../../contract/errors.ts'

export interface EinsumOperands {
  readonly inputs: readonly (readonly string[])[]
  readonly output: readonly string[]
}

/** Labels of the ellipsis' axes: digits, which the equation itself cannot contain; the last axis of every ellipsis is '0'. */
function dots(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(count - 1 - index))
}

/** The labels of every operand; null where an ellipsis meets an unknown rank. */
export function operands(equation: string, ranks: readonly (number | null)[], where: string): EinsumOperands | null {
  const [left = '', right] = equation.replaceAll(' ', '').split('->')
  const terms = left.split(',')
  const wrong = (found: string): AppError => new AppError('file-malformed', `${where}: found ${found} in equation '${equation}', expected one term per input with a letter per axis`)
  if (terms.length !== ranks.length) throw wrong(`${terms.length} terms for ${ranks.length} inputs`)
  let widest = 0
  const inputs: string[][] = []
  for (const [index, term] of terms.entries()) {
    const letters = term.replace('...', '')
    const rank = ranks[index] ?? null
    if (!/^[A-Za-z]*$/.test(letters)) throw wrong(`the term '${term}'`)
    if (term === letters) {
      if (rank !== null && rank !== letters.length) throw wrong(`the term '${term}' for ${rank} axes`)
      inputs.push(Array.from(letters))
      continue
    }
    if (rank === null) return null
    if (rank < letters.length) throw wrong(`the term '${term}' for ${rank} axes`)
    const count = rank - letters.length
    widest = Math.max(widest, count)
    const at = term.indexOf('...')
    inputs.push([...Array.from(term.slice(0, at)), ...dots(count), ...Array.from(term.slice(at + 3))])
  }
  const output = right === undefined ? implicit(inputs, widest) : Array.from(right.replace('...', '·')).flatMap((label) => (label === '·' ? dots(widest) : [label]))
  return { inputs, output }
}

/** Without "->": the ellipsis, then the letters that appear once, in alphabetical order. */
function implicit(inputs: readonly (readonly string[])[], widest: number): string[] {
  const all = inputs.flat().filter((label) => !/\d/.test(label))
  return [...dots(widest), ...[...new Set(all)].filter((label) => all.indexOf(label) === all.lastIndexOf(label)).sort()]
}
