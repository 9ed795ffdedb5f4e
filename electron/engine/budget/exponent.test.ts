import { expect, test } from 'vitest'
import type { Group } from './allocation.ts'
import { bestMeasured, exponentCandidates } from './exponent.ts'

/** One bad layer (9 → 5 for 4 bytes) against four mediocre ones (2 → 0.9 for 1 byte each). */
const groups: Group[] = [
  { name: 'bad', members: ['bad'], options: [{ option: '2', cost: 0, loss: 9 }, { option: '4', cost: 4, loss: 5 }] },
  ...['a', 'b', 'c', 'd'].map((name) => ({ name, members: [name], options: [{ option: '2', cost: 0, loss: 2 }, { option: '4', cost: 1, loss: 0.9 }] })),
]

test('the plain sum spends on the many, a higher exponent on the one bad layer', async () => {
  const [plain, raised] = await exponentCandidates(groups, 4, [1, 2])
  expect(plain).toMatchObject({ exponent: 1, choice: [0, 1, 1, 1, 1] })
  expect(plain.loss).toBeCloseTo(9 + 3.6, 9)
  // squares: 81 + 4·0.81 = 84.24 against 25 + 4·4 = 41
  expect(raised).toMatchObject({ exponent: 2, choice: [1, 0, 0, 0, 0], loss: 13 })
})

test('equal choices come once, nothing that does not fit comes at all, and measuring decides', async () => {
  expect(await exponentCandidates(groups, 8, [1, 2])).toHaveLength(1)
  expect(await exponentCandidates(groups, -1)).toEqual([])
  const candidates = await exponentCandidates(groups, 4, [1, 2])
  const best = await bestMeasured(candidates, ({ exponent }) => Promise.resolve(exponent === 2 ? 0.1 : 0.2))
  expect(best).toMatchObject({ measured: 0.1, candidate: { exponent: 2 } })
})
