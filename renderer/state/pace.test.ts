import { expect, test } from 'vitest'
import { meanPace, paces } from './pace.ts'

const piece = (amount: number, ms: number) => ({ name: '', amount, ms })

test('a pace is the amount over the time of seven pieces, whatever the size of each', () => {
  expect(paces([piece(10, 1000), piece(90, 1000)])).toEqual([10, 50])
  const long = [piece(1000, 1000), ...Array.from({ length: 7 }, () => piece(3, 500))]
  expect(paces(long).at(-1)).toBe(6) // the first is past
  expect(meanPace(long)).toBeCloseTo(1021 / 4.5, 9)
})

test('pieces that took no time at all have a finite pace', () => {
  expect(paces([piece(5, 0)])).toEqual([5000])
})
