import { expect, test } from 'vitest'
import { JobRecord } from '../../electron/contract/job.ts'
import { Project } from '../../electron/contract/project.ts'
import { measurementOf } from './steps.ts'

const project = Project.parse({ version: 1, id: 'p', name: 'm', model: '/m', openedAt: 0, data: { path: '/d.txt', name: 'd.txt', sha256: 'd', heldOut: null } })
const job = (id: string, createdAt: number, input: Record<string, unknown>): JobRecord => JobRecord.parse({
  id, project: 'p', title: id, state: 'paused', createdAt, startedAt: null, endedAt: null, workedMs: 0, stage: null, done: 0, total: 0, item: '', remainingMs: null, reason: null, error: null, warnings: [], result: null,
  request: { kind: 'measure', input: { model: '/m', data: '/d.txt', metric: 'kl-scaled', rounder: 'guided', correction: 'none', samples: 48, length: 512, out: '/o', target: 'gguf', ...input } },
})

test('a measurement belongs to the step while its settings, data and target are the project’s', () => {
  const jobs = [job('old', 1, {}), job('new', 2, {}), job('other target', 3, { target: 'onnx' }), job('other metric', 4, { metric: 'sqnr' }), job('other data', 5, { data: '/e.txt' })]
  expect(measurementOf(jobs, project)?.id).toBe('new')
  expect(measurementOf(jobs, { ...project, draft: { ...project.draft, target: 'onnx' } })?.id).toBe('other target')
  expect(measurementOf(jobs, { ...project, draft: { ...project.draft, target: 'safetensors' } })).toBeUndefined()
  expect(measurementOf(jobs, { ...project, measure: { ...project.measure, image: { mean: [0.5] } } })).toBeUndefined()
})

test('without data it is the one that needs none', () => {
  const jobs = [job('with data', 1, {}), job('weights alone', 2, { data: undefined, metric: 'sqnr', rounder: 'search' })]
  expect(measurementOf(jobs, { ...project, data: null, withoutData: true })?.id).toBe('weights alone')
})
