import { expect, it } from 'vitest'
import { ranks, spearman } from './spearman.ts'

it('ranks with ties in the middle', () => {
  expect(ranks([10, 30, 20, 30])).toEqual([1, 3.5, 2, 3.5])
})

it('is 1 for any growing relation, −1 for a falling one', () => {
  const x = [0.1, 5, 3, 2, 8]
  expect(spearman(x, x.map((value) => Math.exp(value)))).toBeCloseTo(1, 12)
  expect(spearman(x, x.map((value) => -value))).toBeCloseTo(-1, 12)
})

it('agrees with a hand-computed value', () => {
  // Ranks 1 2 3 4 5 against 1 3 2 5 4: Σd² = 4, so ρ = 1 − 6·4/(5·24).
  expect(spearman([1, 2, 3, 4, 5], [1, 30, 20, 50, 40])).toBeCloseTo(0.8, 12)
})

it('has no answer for constants', () => {
  expect(spearman([1, 1, 1], [1, 2, 3])).toBeNaN()
})
