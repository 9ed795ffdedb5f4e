import path from 'node:path'
import { expect, it } from 'vitest'
import { silent } from '../contract/events.ts'
import { linears, linearShape } from './graph/decoder/spec.ts'
import { predictRun, type RunSize } from './predict.ts'
import { openDecoder, type DecoderModel } from './session/model.ts'

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

/** TinyLlama's shape with so many blocks. */
function billion({ spec: sampleSpec, layers: [embedding] }: DecoderModel, blocks: number): Pick<DecoderModel, 'spec' | 'layers'> {
  const spec = { ...sampleSpec, blocks, hidden: 2048, intermediate: 5632, heads: 32, kvHeads: 4, headSize: 64, vocabulary: 32_000, tied: false }
  const table = { ...embedding, shape: [spec.vocabulary, spec.hidden] as const }
  const inBlocks = Array.from({ length: blocks }, (_, block) => linears(spec).map((layer) => ({ ...table, name: `blocks.${block}.${layer}`, kind: 'matmul' as const, shape: linearShape(spec, layer), block })))
  return { spec, layers: [table, ...inBlocks.flat(), { ...table, name: 'head' }] }
}

/** Peaks that were measured, in bytes (`npm run -s bench compress`). */
const measured = { guided: 1.41e9, sample: 514e6, billion: 1.2e9 }

it('comes within 15 % of the memory that was measured, however many blocks there are', async () => {
  const model = await openDecoder(sample, silent)
  const sampleRun = predictRun(model, { ...size, evaluationTokens: 8192 }, { flops: 1e11 })
  expect(Math.abs(sampleRun.peakMemoryBytes / measured.sample - 1)).toBeLessThan(0.15)
  const small: RunSize = { windows: 4, length: 256, evaluationTokens: 4096, rounder: 'gptq', metric: 'layer-output', parkedMost: 1e9 }
  const [half, whole] = [22, 44].map((blocks) => predictRun(billion(model, blocks), small, { flops: 1e11 }).peakMemoryBytes)
  expect(Math.abs((half ?? NaN) / measured.billion - 1)).toBeLessThan(0.15)
  expect(whole).toBe(half)
  const guided = predictRun(billion(model, 6), { ...small, rounder: 'guided' }, { flops: 1e11 }).peakMemoryBytes
  expect(Math.abs(guided / measured.guided - 1)).toBeLessThan(0.15)
  await model.close()
})
