import { expect, test } from 'vitest'
import { groupWords, middleOf, sampleWords } from './cell-words.ts'

test('the middle of a bin', () => {
  expect(middleOf({ low: -1, high: 1, counts: [1, 2, 3, 4] }, 0)).toBe(-0.75)
  expect(middleOf({ low: -1, high: 1, counts: [1, 2, 3, 4] }, 3)).toBe(0.75)
})

test('the median and the tail of the groups', () => {
  expect(groupWords({ low: 0, high: 0.1, counts: [90, 0, 8, 0, 0, 0, 0, 0, 0, 2] })).toBe('Half of the groups stay below 1 %, all but 1 % below 10 %.')
  expect(groupWords({ low: 0, high: 0, counts: [5] })).toBe('No group loses anything.')
})

test('a sample says that it is one', () => {
  expect(sampleWords({ rows: 256, allRows: 4096 })).toBe('256 of 4,096 rows are looked at.')
  expect(sampleWords({ rows: 8, allRows: 8 })).toBe('')
})
