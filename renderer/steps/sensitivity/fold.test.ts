import { expect, test } from 'vitest'
import { foldBlocks, membersOf, rangeOf } from './fold.ts'

const cell = (value: number) => ({ value, stderr: 3 * value, bytes: 10 })
const rows = [
  { layer: 'embedding', note: '', cells: { Q2: cell(5) }, excluded: {} },
  { layer: 'b0.q', note: '', cells: { Q2: cell(3), Q4: cell(1) }, excluded: {} },
  { layer: 'b0.k', note: '', cells: { Q2: cell(4) }, excluded: { Q4: 'rows of 96' } },
  { layer: 'b1.q', note: '', cells: { Q2: cell(2) }, excluded: {} },
  { layer: 'b1.k', note: '', cells: {}, excluded: {} },
]
const blockOf = (layer: string): number | null => (layer.startsWith('b') ? Number(layer[1]) : null)

test('a block loses what its layers lose together, in formats that are known of all that can take them', () => {
  const folded = foldBlocks(rows, ['Q2', 'Q4'], blockOf)
  expect(folded.map(({ layer }) => layer)).toEqual(['embedding', 'block 0', 'block 1'])
  expect(folded[1]?.cells).toEqual({ Q2: { value: 7, stderr: 15, bytes: 20 }, Q4: cell(1) })
  expect(folded[2]?.cells).toEqual({ Q2: undefined, Q4: undefined })
  expect(rangeOf(folded)).toEqual([1, 7])
})

test('a folded row opens to its layers, worst first; a layer does not open', () => {
  expect(membersOf(rows, 'block 0', 'Q2', blockOf)?.map(({ layer }) => layer)).toEqual(['b0.k', 'b0.q'])
  expect(membersOf(rows, 'embedding', 'Q2', blockOf)).toBeUndefined()
})
