import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { totals } from './allocation.ts'
import { paretoCurve, solveExact } from './exact.ts'
import { allocateGreedy } from './greedy.ts'
import { allocateMonotone } from './hawq-monotone.ts'
import { bruteForce, everyChoice, hawqProblems, largeProblem, problems } from './testing.ts'

const hawq = hawqProblems(readFileSync(path.join(import.meta.dirname, 'fixtures/hawq-v3.json'), 'utf8'))

test.each(hawq)('$name: the published optimum', async ({ groups, limit, widths, loss, decode }) => {
  const solved = await solveExact(groups, limit)
  expect(decode(solved?.choice ?? [])).toBe(widths)
  expect(solved?.loss).toBeCloseTo(loss, 6)
  expect(solved?.lowerBound).toBe(solved?.loss)
  const curve = await paretoCurve(groups, { limit })
  expect(curve.isExact).toBe(true)
  expect(decode(curve.choiceAt(curve.points.length - 1))).toBe(widths)
})

test('on the published problems the exact optimum beats greedy and the monotone restriction by the known factors', () => {
  const ratios = (other: (problem: (typeof hawq)[number]) => number): number[] => hawq.map((problem) => other(problem) / problem.loss).sort((a, b) => a - b)
  const greedy = ratios(({ groups, limit }) => allocateGreedy(groups, limit)?.loss ?? 0)
  expect(greedy[17]).toBeCloseTo(1.35, 2)
  expect(greedy[0]).toBeGreaterThan(0.9999)
  const monotone = ratios(({ groups, limit, traces }) => allocateMonotone(groups, limit, traces, ['4', '8'])?.loss ?? 0)
  expect(monotone[9]).toBeCloseTo(1.18, 2)
  expect(monotone[17]).toBeCloseTo(1.97, 2)
})

test('the curve holds every trade-off there is and nothing else', async () => {
  await fc.assert(fc.asyncProperty(problems(), async (groups) => {
    const all = everyChoice(groups)
    const expected = all
      .filter(({ cost, loss }) => !all.some((other) => (other.cost <= cost && other.loss < loss) || (other.cost < cost && other.loss <= loss)))
      .map(({ cost, loss }) => `${cost} ${loss}`)
    const curve = await paretoCurve(groups)
    expect(curve.isExact).toBe(true)
    expect(curve.points.map(({ cost, loss }) => `${cost} ${loss}`)).toEqual([...new Set(expected)].sort((a, b) => Number(a.split(' ')[0]) - Number(b.split(' ')[0])))
    curve.points.forEach((point, at) => expect(totals(groups, curve.choiceAt(at))).toEqual(point))
  }))
})

test('the curve of costs without a common unit is the same', async () => {
  await fc.assert(fc.asyncProperty(problems(), async (groups) => {
    const scaled = groups.map((group) => ({ ...group, options: group.options.map((option) => ({ ...option, cost: option.cost * 0.125 })) }))
    expect((await paretoCurve(scaled)).points).toEqual((await paretoCurve(groups)).points.map(({ cost, loss }) => ({ cost: cost * 0.125, loss })))
  }))
})

test('one limit: the optimum of exhaustive search, proved; greedy within the limit and never better', async () => {
  await fc.assert(fc.asyncProperty(problems(), fc.integer({ min: 0, max: 120 }), async (groups, limit) => {
    const least = bruteForce(groups, limit)
    const solved = await solveExact(groups, limit)
    const greedy = allocateGreedy(groups, limit)
    if (least === undefined) {
      expect(solved).toBeNull()
      expect(greedy).toBeNull()
      return
    }
    expect(solved?.loss).toBeCloseTo(least, 9)
    expect(solved?.lowerBound).toBe(solved?.loss)
    expect(solved?.cost).toBeLessThanOrEqual(limit)
    expect(greedy?.cost).toBeLessThanOrEqual(limit)
    expect(greedy?.loss).toBeGreaterThanOrEqual(least - 1e-9)
    expect(greedy?.lowerBound).toBeLessThanOrEqual(least + 1e-9)
  }), { numRuns: 300 })
})

test('a larger budget never loses more', async () => {
  await fc.assert(fc.asyncProperty(problems(), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 30 }), async (groups, limit, more) => {
    const small = await solveExact(groups, limit)
    if (small === null) return
    expect((await solveExact(groups, limit + more))?.loss).toBeLessThanOrEqual(small.loss)
  }))
})

test('300 layers of 10 options: the optimum is proved, and every point of the curve is the optimum at its cost', async () => {
  const groups = largeProblem(300)
  const curve = await paretoCurve(groups)
  expect(curve.isExact).toBe(false)
  expect(curve.points.length).toBeGreaterThan(1000)
  for (const share of [0.1, 0.4, 0.8]) {
    const at = Math.floor(share * curve.points.length)
    const { cost, loss } = curve.points[at]
    const solved = await solveExact(groups, cost)
    expect(solved?.lowerBound).toBe(solved?.loss)
    expect(Math.abs((solved?.loss ?? 0) / loss - 1)).toBeLessThan(1e-9)
    expect(totals(groups, curve.choiceAt(at)).cost).toBeCloseTo(cost, 0)
    const between = await solveExact(groups, cost + 1000)
    expect(between?.lowerBound).toBe(between?.loss)
    expect(between?.loss).toBeLessThanOrEqual(solved?.loss ?? 0)
  }
})
