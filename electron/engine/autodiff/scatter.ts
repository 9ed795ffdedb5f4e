/** @file Adds rows to zeros by index: what undoes a Gather. */
import type { Algebra, Part } from '../graph/algebra.ts'

/**
 * `values` [before…, indices…, after…] added at `indices` along `axis` of zeros [before…, size, after…]. Equal indices add up.
 * Along the first axis nothing is moved; else the axis goes to the front and back.
 */
export function scatterAlong(g: Algebra, values: string, indices: string, axis: number, size: Part): string {
  const rank = g.rank(values)
  const count = g.rank(indices)
  const indexAxes = Array.from({ length: count }, (_, index) => axis + index)
  const others = Array.from({ length: rank }, (_, at) => at).filter((at) => !indexAxes.includes(at))
  const pieces = [size, ...others.map((at): Part => [values, at])].map((part) => (typeof part === 'number' ? g.ints([part]) : g.size(part[0], part[1])))
  const numbers = pieces.flatMap((piece) => g.numbers(piece) ?? [])
  const shape = numbers.length === pieces.length ? g.ints(numbers) : g.one('Concat', pieces, { axis: { int: 0 } })
  const zeros = g.one('Expand', [g.scalar(0, values), shape])
  const front = g.transpose(values, [...indexAxes, ...others])
  const sum = g.one('ScatterND', [zeros, g.unsqueeze(indices, [-1]), front], { reduction: { string: 'add' } })
  return g.transpose(sum, Array.from({ length: others.length + 1 }, (_, at) => (at < axis ? at + 1 : at === axis ? 0 : at)))
}
