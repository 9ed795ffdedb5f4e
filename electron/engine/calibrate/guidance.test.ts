import { expect, it } from 'vitest'
import { addGuided, tableStatistics, type Guidance } from './guidance.ts'
import { addInputs, emptyStatistics } from './statistics.ts'

it('weighs every token by the square of its root', async () => {
  const statistics = emptyStatistics(2)
  await addGuided(statistics, Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 2))
  await addGuided(statistics, Float32Array.of(1, 1), undefined)
  expect([...statistics.hessian]).toEqual([1 + 4 * 9 + 1, 2 + 4 * 12 + 1, 2 + 4 * 12 + 1, 4 + 4 * 16 + 1])
  expect(statistics.tokens).toBe(3)
})

it('gives a tied table both of its uses, each per token and in one unit', async () => {
  const [head, lookups] = [emptyStatistics(2), emptyStatistics(2)]
  await addInputs(head, Float32Array.of(1, 0, 1, 2))
  await addInputs(lookups, Float32Array.of(3, 1))
  const guidance: Guidance = { roots: () => undefined, lookups, headMean: 0.5 }
  expect(await tableStatistics('head', head, guidance)).toBe(head)
  expect(await tableStatistics('embedding', null, guidance)).toBe(lookups)
  expect(await tableStatistics('embedding', null, undefined)).toBeNull()
  expect((await tableStatistics('tied', head, undefined))?.hessian[0]).toBe(2)
  const tied = await tableStatistics('tied', head, guidance)
  expect([...tied?.hessian ?? []]).toEqual([2 + 4 * 9, 2 + 4 * 3, 2 + 4 * 3, 4 + 4 * 1])
  expect(tied?.tokens).toBe(2)
})
