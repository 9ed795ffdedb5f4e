import { expect, test } from 'vitest'
import type { OpenProject } from '../contract/api.ts'
import { ModelSummary, type Plan } from '../contract/engine.ts'
import { Draft, Project } from '../contract/project.ts'
import { Sensitivity } from '../contract/sensitivity.ts'
import type { EngineHost } from './engine-host.ts'
import { createSolver } from './solver.ts'

const sensitivity = (): Sensitivity => Sensitivity.parse({ version: 1, tool: 't', model: { path: 'm', sha256: 'x' }, data: { path: 'd', sha256: 'y' }, metric: 'kl', rounder: 'gptq', layers: [] })
const open = (measured: Sensitivity | null): OpenProject => ({
  project: Project.parse({ version: 1, id: 'p', name: 'm', model: 'm', openedAt: 0 }), preview: null, sensitivity: measured,
  summary: ModelSummary.parse({ path: 'm', name: 'm', format: 'gguf', architecture: 'llama', parameters: 1, sizeBytes: 1, blocks: 1, contextLength: null, vocabulary: null, tensors: [], layers: [], warnings: [] }),
})
const draft = (value: number): Draft => Draft.parse({ budget: { kind: 'bits', value } })

/** An engine that counts plans and fails where the budget is one bit. */
function counting() {
  const asked: number[] = []
  const call = ((_method: string, { budget }: { budget: { kind: string; value: number } }) => {
    asked.push(budget.value)
    const plan: Plan = {
      recipe: { version: 1, tool: 't', model: { path: 'm', sha256: 'x' }, data: null, target: 'gguf', budget: { kind: 'bits', value: budget.value }, pins: {}, metric: 'kl', rounder: 'gptq', correction: 'none', seed: 0, choice: [], predicted: { sizeBytes: 1, bitsPerWeight: 1, peakMemoryBytes: 1, elapsedMs: 1, loss: 1 } },
      curve: [], uniform: [], warnings: [], elapsedMs: 1,
    }
    return budget.kind === 'bits' && budget.value === 1 ? Promise.reject(new Error('too small')) : Promise.resolve(plan)
  }) as EngineHost['call']
  return { asked, solve: createSolver({ call }) }
}

test('the same draft of the same map is solved once', async () => {
  const { asked, solve } = counting()
  const project = open(sensitivity())
  await solve(project, draft(4))
  await solve(project, draft(3))
  await solve(project, draft(4))
  expect(asked).toEqual([4, 3])
})

test('a new map, a uniform plan and a failed plan are solved again', async () => {
  const { asked, solve } = counting()
  await solve(open(sensitivity()), draft(4))
  await solve(open(sensitivity()), draft(4))
  const project = open(sensitivity())
  await solve(project, draft(4), 'Q4_K')
  await expect(solve(project, draft(1))).rejects.toThrow('too small')
  await expect(solve(project, draft(1))).rejects.toThrow('too small')
  expect(asked).toEqual([4, 4, 1, 1, 1]) // a uniform plan has room for everything: ratio 1
})

test('nothing measured is said, not asked', async () => {
  const { asked, solve } = counting()
  await expect(solve(open(null), draft(4))).rejects.toMatchObject({ code: 'bad-request' })
  expect(asked).toEqual([])
})
