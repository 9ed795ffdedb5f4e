import { expect, test } from 'vitest'
import { JobRequest } from '../../../electron/contract/job.ts'
import { speedNow, speedsOf } from './speed.ts'

const recipe = { version: 1, tool: 't', model: { path: 'm', sha256: '' }, data: null, target: 'gguf', budget: { kind: 'bits', value: 4 }, metric: 'kl', rounder: 'guided', choice: [], predicted: { sizeBytes: 1, bitsPerWeight: 4, peakMemoryBytes: 1, elapsedMs: 1, loss: 1 } }
const requestOf = (training?: object) => JobRequest.parse({ kind: 'run', recipe: { ...recipe, ...(training && { training }) }, out: 'o', text: null, uniform: null })
const live = { stored: [{ name: 'a', amount: 3e6, ms: 2000 }, { name: 'b', amount: 1e6, ms: 2000 }], trained: [{ name: 'step 1', amount: 1, ms: 250 }] }

test('weights are told in megabytes a second, training in tokens by the recipe or as usual', () => {
  const speeds = speedsOf({ request: requestOf() }, live)
  expect(speeds.map(({ stage, values, mean }) => [stage, values, mean])).toEqual([['quantize', [1.5, 1], 1], ['train', [2048], 2048]]) // 2 windows of 256 in a quarter of a second
  expect(speedsOf({ request: requestOf({ batch: 1, length: 100 }) }, live)[1]?.mean).toBe(400)
  expect(speeds.map(({ say, mean }) => say(mean))).toEqual(['1.00 MB/s', '2048 tokens/s'])
})

test('what is shown is of the stage that runs', () => {
  const job = { request: requestOf(), stage: 'train', state: 'running' } as const
  expect(speedNow(job, live)).toBe('2048 tokens/s')
  expect(speedNow({ ...job, stage: 'quantize' }, live)).toBe('1.00 MB/s')
  expect(speedNow({ ...job, stage: 'quantize' }, { ...live, stored: [{ name: 'a', amount: 75_300, ms: 1000 }] })).toBe('75.3 kB/s')
  expect([speedNow({ ...job, stage: 'evaluate' }, live), speedNow({ ...job, state: 'done' }, live), speedNow(job, { stored: [], trained: [] })]).toEqual(['', '', ''])
})
