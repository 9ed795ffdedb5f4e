import { expect, test } from 'vitest'
import { batchOf, UNSCORED } from './window.ts'

test('what was written is compared with the original everywhere, and labels nothing', () => {
  const tokens = Int32Array.of(5, 6, 7)
  const { labels, judged, real, time } = batchOf([{ tokens, isWritten: true }, { tokens }, { tokens: Int32Array.of(8, 9, 10, 11), mask: Uint8Array.of(0, 0, 1, 1), isWritten: true }])
  expect(time).toBe(4)
  expect([...labels]).toEqual([UNSCORED, UNSCORED, UNSCORED, UNSCORED, 6, 7, UNSCORED, UNSCORED, UNSCORED, UNSCORED, UNSCORED, UNSCORED])
  expect([...judged]).toEqual([1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 1, 0])
  expect([...real]).toEqual([1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1])
})
