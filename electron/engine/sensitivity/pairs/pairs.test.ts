import { expect, it } from 'vitest'
import type { MeasuredLayer, PairLoss } from '../../../contract/sensitivity.ts'
import { addPairs, pairFactors } from './add-pairs.ts'
import { choosePairs, pairOption } from './choose-pairs.ts'

const layer = (name: string, block: number | null, loss: number): MeasuredLayer => ({
  name, kind: 'matmul', shape: [8, 8], elements: 64, block, ties: null, excluded: {},
  options: { two: { bytes: 16, value: 3 * loss, stderr: 0 }, three: { bytes: 25, value: loss, stderr: 0.1 * loss }, eight: { bytes: 64, value: 0, stderr: 0 } },
})
const pair = (a: string, b: string, alone: [number, number], together: number): PairLoss => ({ layers: [a, b], option: 'three', alone, together, stderr: 0 })

it('takes the option nearest to three bits, and the costliest pairs of a block, of neighbours, of the costliest layers', () => {
  const layers = [layer('embedding', null, 9), layer('blocks.0.q', 0, 1), layer('blocks.0.o', 0, 4), layer('blocks.1.q', 1, 2), layer('blocks.1.o', 1, 8)]
  expect(pairOption(layers[0])).toBe('three')
  const names = (count: number): string[] => choosePairs(layers, count).map(({ layers: [a, b] }) => `${a.name} ${b.name}`)
  // Two pairs: the two costliest layers count as near each other although they are blocks apart.
  expect(names(2)).toEqual(['embedding blocks.1.o', 'blocks.1.q blocks.1.o'])
  expect(names(1)).toEqual(['embedding blocks.1.o'])
})

it('raises a layer by half of its positive excesses, as a share of its own loss', () => {
  // q: alone 2, excess with k 3 − 3 = 0 … together 6 → 6 − 2 − 1 = 3; with v together 2 → less than the sum, counts as nothing.
  const factors = pairFactors([pair('q', 'k', [2, 1], 6), pair('q', 'v', [2, 4], 2)])
  expect([...factors]).toEqual([['q', 1 + 1.5 / 2], ['k', 1 + 1.5 / 1], ['v', 1]])
  const [q, other] = addPairs([layer('q', 0, 1), layer('other', 0, 1)], [pair('q', 'k', [2, 1], 6)])
  expect(q.options.three).toEqual({ bytes: 25, value: 1.75, stderr: expect.closeTo(0.175, 12) as number })
  expect(other).toEqual(layer('other', 0, 1))
})
