import os from 'node:os'
import path from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import type { OpenProject } from '../contract/api.ts'
import { ModelSummary } from '../contract/engine.ts'
import { JobRecord } from '../contract/job.ts'
import { Project } from '../contract/project.ts'
import { evaluateRequest, obstacleOf } from './requests.ts'

afterEach(() => { vi.restoreAllMocks() })

const run = (peakMemoryBytes: number, sizeBytes = 1000): JobRecord => JobRecord.parse({
  id: 'r', project: null, title: 't', state: 'waiting', createdAt: 0, startedAt: null, endedAt: null, workedMs: 0, stage: null, done: 0, total: 0, item: '', remainingMs: null, reason: null, error: null, warnings: [], result: null,
  request: {
    kind: 'run', out: path.join(os.tmpdir(), 'not', 'there', 'yet'), text: null, uniform: null,
    recipe: { version: 1, tool: 't', model: { path: 'm', sha256: 'x' }, data: null, target: 'gguf', budget: { kind: 'bits', value: 4 }, metric: 'sqnr', rounder: 'search', choice: [], predicted: { sizeBytes, bitsPerWeight: 4, peakMemoryBytes, elapsedMs: 1, loss: 1 } },
  },
})

test('a run waits for the memory it is predicted to take, unless the user insists; a full disk is waited for in any case', async () => {
  vi.spyOn(process, 'platform', 'get').mockReturnValue('linux')
  vi.spyOn(process, 'availableMemory').mockReturnValue(2e9)
  expect(await obstacleOf(run(1.9e9), false)).toBeNull()
  expect(await obstacleOf(run(3e9), false)).toMatch(/2\.0 GB of memory free and this needs about 3\.0 GB/)
  expect(await obstacleOf(run(3e9), true)).toBeNull()
  expect(await obstacleOf(run(1e9, 1e18), true)).toMatch(/^The disk has /)
})

test('where free memory cannot be told from memory that would be given up, nothing waits for it', async () => {
  vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin')
  vi.spyOn(process, 'availableMemory').mockReturnValue(1)
  expect(await obstacleOf(run(3e9), false)).toBeNull()
})

const summary = (format: 'onnx' | 'safetensors') => ModelSummary.parse({ path: 'm', name: 'm', format, architecture: 'a', parameters: 1, sizeBytes: 2, blocks: 0, contextLength: null, vocabulary: null, tensors: [], layers: [], warnings: [] })
const open = (format: 'onnx' | 'safetensors'): OpenProject => ({
  project: Project.parse({ version: 1, id: 'p', name: 'm', model: '/m', openedAt: 0, measure: { image: { size: [24, 24] } } }), summary: summary(format), preview: null, sensitivity: null,
})

test('a graph is evaluated on pictures made as they were for measuring; the original has no reference', () => {
  const about = { model: '/out', text: '/pictures', memoryBytes: null }
  expect(evaluateRequest(open('onnx'), 'run', about)).toMatchObject({ input: { model: '/out', reference: '/m', graph: { image: { size: [24, 24] } } } })
  expect(evaluateRequest(open('safetensors'), 'original', about)).toEqual({ kind: 'evaluate', subject: 'original', input: { model: '/out', text: '/pictures', length: 512 } })
  expect(() => evaluateRequest(open('safetensors'), 'original', { ...about, text: undefined })).toThrow('there is no text to evaluate on')
})
