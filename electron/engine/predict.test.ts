import path from 'node:path'
import { expect, it } from 'vitest'
import { silent } from '../contract/events.ts'
import { openDecoder } from './session/model.ts'
import { predictRun, type RunSize } from './predict.ts'

const sample = path.resolve(import.meta.dirname, '../../assets/sample-model')
const size: RunSize = { windows: 48, length: 512, evaluationTokens: 25_000, rounder: 'gptq', metric: 'kl-scaled', parkedMost: 1e9 }

it('predicts less time on a faster machine, more for more data, and memory that depends on neither', async () => {
  const model = await openDecoder(sample, silent)
  const plain = predictRun(model, size, { flops: 1e11 })
  expect(predictRun(model, size, { flops: 2e11 }).elapsedMs).toBeCloseTo(plain.elapsedMs / 2, -1)
  expect(predictRun(model, { ...size, windows: 96 }, { flops: 1e11 }).elapsedMs).toBeGreaterThan(plain.elapsedMs * 1.3)
  expect(predictRun(model, size, { flops: 2e11 }).peakMemoryBytes).toBe(plain.peakMemoryBytes)
  expect(predictRun(model, { ...size, windows: 10_000, parkedMost: 2e8 }, { flops: 1e11 }).peakMemoryBytes).toBeLessThan(plain.peakMemoryBytes + 2e8)
  expect(predictRun(model, { ...size, rounder: 'guided' }, { flops: 1e11 }).elapsedMs).toBeGreaterThan(plain.elapsedMs * 1.1)
  await model.close()
})
