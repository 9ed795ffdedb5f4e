import { expect, test } from 'vitest'
import { monotoneCosts } from './monotone-costs.ts'

test('a larger option never loses more than a smaller one; order and other fields stay', () => {
  const options = { F16: { bytes: 32, value: 0, stderr: 0 }, Q4_1: { bytes: 10, value: 5, stderr: 0.5 }, Q4_K: { bytes: 9, value: 3, stderr: 0.3 }, Q2_K: { bytes: 5, value: 20, stderr: 2 } }
  const lowered = monotoneCosts(options)
  expect(lowered).toEqual({ ...options, Q4_1: { bytes: 10, value: 3, stderr: 0.5 } })
  expect(Object.keys(lowered)).toEqual(['F16', 'Q4_1', 'Q4_K', 'Q2_K'])
})

test('of two options of equal bytes each keeps its own loss if it is the better one', () => {
  expect(monotoneCosts({ a: { bytes: 4, value: 7 }, b: { bytes: 4, value: 6 } })).toEqual({ a: { bytes: 4, value: 7 }, b: { bytes: 4, value: 6 } })
})
