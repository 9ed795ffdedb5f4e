import path from 'node:path'
import { expect, it } from 'vitest'
import { silent } from '../contract/events.ts'
import { predictMeasure, type MeasureSize } from './predict-measure.ts'
import { openDecoder } from './session/model.ts'

const sample = path.resolve(import.meta.dirname, '../../assets/sample-model')
const size: MeasureSize = { windows: 48, length: 512, target: 'gguf', metric: 'kl-scaled', rounder: 'gptq', isCorrected: false }

it('predicts what costs more to cost more, and says nothing of derivatives', async () => {
  const model = await openDecoder(sample, silent)
  const predict = (more: Partial<MeasureSize> = {}, flops = 1e11): number => predictMeasure(model, { ...size, ...more }, { flops }) ?? NaN
  const plain = predict()
  expect(plain).toBeGreaterThan(1000)
  expect(predict({}, 2e11)).toBeCloseTo(plain / 2, -1)
  expect(predict({ isCorrected: true })).toBeCloseTo(2 * plain, -1)
  expect(predict({ windows: 96 })).toBeGreaterThan(plain)
  const metrics = (['sqnr', 'kl-scaled', 'kl'] as const).map((metric) => predict({ metric }))
  expect(metrics).toEqual(metrics.toSorted((a, b) => a - b))
  expect(metrics[2]).toBeGreaterThan(2 * metrics[1])
  expect(predict({ windows: 0, metric: 'sqnr', rounder: 'search' })).toBeLessThan(plain)
  expect(predictMeasure(model, { ...size, metric: 'hessian-trace' }, { flops: 1e11 })).toBeNull()
  await model.close()
})
