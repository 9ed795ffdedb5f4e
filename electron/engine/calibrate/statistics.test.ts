import { expect, it } from 'vitest'
import { addInputs, coverage, emptyStatistics, importanceOf, statisticsProblems } from './statistics.ts'

it('sums XᵀX over chunks, and leaves out rows that are not finite', async () => {
  const statistics = emptyStatistics(3)
  await addInputs(statistics, Float32Array.of(1, 2, 0, -3, 1, 0))
  await addInputs(statistics, Float32Array.of(NaN, 5, 5, 2, 2, 0))
  expect([...statistics.hessian]).toEqual([1 + 9 + 4, 2 - 3 + 4, 0, 2 - 3 + 4, 4 + 1 + 4, 0, 0, 0, 0])
  expect([...statistics.absolute]).toEqual([6, 5, 0])
  expect(statistics.tokens).toBe(4)
  expect([...importanceOf(statistics)]).toEqual([3.5, 2.25, 0])
  expect(coverage(statistics)).toBeCloseTo(2 / 3, 12)
})

it('tells of values that are not finite and of columns never reached', async () => {
  const statistics = emptyStatistics(2)
  await addInputs(statistics, Float32Array.of(1, 0, Infinity, NaN))
  const [first, second] = statisticsProblems(statistics, 'blocks.0.down')
  expect(first).toMatch(/^blocks\.0\.down: 2 input values of 2 tokens are NaN or infinite/)
  expect(second).toMatch(/1 of 2 input columns are zero/)
  const whole = emptyStatistics(1)
  await addInputs(whole, Float32Array.of(1))
  expect(statisticsProblems(whole, 'x')).toEqual([])
})
