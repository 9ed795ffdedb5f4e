import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import type { Sensitivity } from '../../contract/sensitivity.ts'
import { planToQuality } from './quality.ts'

const bits: Record<string, number> = { Q2_K: 2.625, Q4_K: 4.5, Q6_K: 6.5625, Q8_0: 8.5 }
const measured: Sensitivity = {
  version: 1, tool: 'test', model: { path: 'm', sha256: 'aa' }, data: { path: 'd', sha256: 'bb' }, metric: 'layer-output', rounder: 'search', complete: true,
  layers: [1, 5, 20, 70].map((loss, at) => ({
    name: `blocks.${at}.q`, kind: 'matmul', shape: [256, 512], elements: 131_072, block: at, ties: null, excluded: {},
    options: Object.fromEntries(Object.entries(bits).map(([name, b]) => [name, { bytes: 0, value: loss * 4 ** (2.625 - b), stderr: 0 }])),
  })),
}
const input = { model: 'm', measured, target: 'gguf', budget: { kind: 'bits', value: 16 } } as const
const dependencies = { tool: 'test', elements: 4 * 131_072, fixedBytes: () => 0, predict: () => ({ peakMemoryBytes: 0, elapsedMs: 0 }) }

/** What an evaluation would find: the predicted loss and half as much again. */
const measure = ({ choice }: { choice: readonly { predictedLoss: number }[] }): Promise<number> => Promise.resolve(1.5 * choice.reduce((sum, { predictedLoss }) => sum + predictedLoss, 0))

test('the smallest size whose measured loss meets the target, in few evaluations', async () => {
  const { plan, measured: loss, evaluations } = await planToQuality(input, { name: 'kl', value: 3 }, dependencies, measure, silent)
  expect(loss).toBeLessThanOrEqual(3)
  expect(evaluations).toBeLessThanOrEqual(2 + Math.ceil(Math.log2(Math.log(16 / 2.625) / Math.log(1.01))))
  // Everything more than a step of 1 % smaller misses the target.
  const smaller = plan.curve.filter(({ bytes }) => bytes * 1.01 <= plan.recipe.predicted.sizeBytes)
  expect(smaller.length).toBeGreaterThan(0)
  for (const { loss: predicted } of smaller) expect(1.5 * predicted).toBeGreaterThan(3)
})

test('a target that the largest plan does not meet is impossible, with what it reaches', async () => {
  await expect(planToQuality({ ...input, budget: { kind: 'bits', value: 3 } }, { name: 'sqnr', value: 40 }, dependencies, measure, silent)).rejects.toMatchObject({ code: 'budget-impossible', message: expect.stringMatching(/sqnr=40 is not met within the budget: the largest plan tried reaches -\d/) as string })
})
