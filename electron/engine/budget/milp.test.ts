import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { Group } from './allocation.ts'
import { allocateMilp, costConstraint, type Constraint } from './milp.ts'
import { everyChoice, hawqProblems } from './testing.ts'

const hawq = hawqProblems(readFileSync(path.join(import.meta.dirname, 'fixtures/hawq-v3.json'), 'utf8'))

test.each(hawq.filter((_, at) => [0, 9, 16].includes(at)))('$name: the published optimum', async ({ groups, limit, widths, decode }) => {
  const solved = await allocateMilp(groups, [costConstraint(groups, limit)])
  expect(decode(solved?.choice ?? [])).toBe(widths)
  expect(solved?.lowerBound).toBe(solved?.loss)
})

/** Six groups whose three costs pull in different directions. */
function threeCosts(): { groups: Group[]; costs: Record<'bytes' | 'bops' | 'ms', number[][]> } {
  const groups = Array.from({ length: 6 }, (_, at) => ({
    name: `g${at}`, members: [`g${at}`],
    options: [2, 4, 8].map((bits) => ({ option: String(bits), cost: (at + 1) * bits, loss: ((at * 7) % 5 + 1) / bits ** 2 })),
  }))
  return { groups, costs: {
    bytes: groups.map(({ options }) => options.map(({ cost }) => cost)),
    bops: groups.map(({ options }, at) => options.map((_, index) => (6 - at) * (index + 1) ** 2)),
    ms: groups.map(({ options }, at) => options.map((_, index) => [3, 1, 2][index] * (1 + (at % 2)))),
  } }
}

test.each([
  { bytes: 84, bops: 189, ms: 27 },
  { bytes: 100, bops: 90, ms: 18 },
  { bytes: 70, bops: 100, ms: 20 },
])('bytes <= $bytes, bops <= $bops, ms <= $ms together: the optimum of exhaustive search', async (limits) => {
  const { groups, costs } = threeCosts()
  const constraints: Constraint[] = Object.entries(limits).map(([name, limit]) => ({ name, limit, costs: costs[name as keyof typeof costs] }))
  const fits = (choice: readonly number[]): boolean => constraints.every(({ limit, costs }) => choice.reduce((sum, option, at) => sum + costs[at][option], 0) <= limit)
  const least = Math.min(...everyChoice(groups).filter(({ choice }) => fits(choice)).map(({ loss }) => loss))
  const solved = await allocateMilp(groups, constraints)
  expect(solved !== null && fits(solved.choice)).toBe(true)
  expect(solved?.loss).toBeCloseTo(least, 9)
})

test('no choice meets both limits: null; an aborted signal: cancelled', async () => {
  const { groups, costs } = threeCosts()
  expect(await allocateMilp(groups, [{ name: 'bytes', limit: 43, costs: costs.bytes }, { name: 'ms', limit: 10, costs: costs.ms }])).toBeNull()
  const stop = new AbortController()
  const running = allocateMilp(groups, [costConstraint(groups, 80)], { signal: stop.signal })
  stop.abort()
  await expect(running).rejects.toMatchObject({ code: 'cancelled' })
})
