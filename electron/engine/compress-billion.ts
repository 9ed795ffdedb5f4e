/**
 * @file Compresses a model of TinyLlama's shape (random weights) with GPTQ, and tells the peak memory of the process beside the predicted
 * one, and the longest that the event loop did not turn: what compress.bench.ts runs in a process of its own. `node compress-billion.ts [blocks]`.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { billion, writeSyntheticModel } from '../../e2e/synthetic-model.ts'
import { silent } from '../contract/events.ts'
import { createEngine } from './engine.ts'
import { observe } from './job/monitor.ts'

const sample = path.resolve(import.meta.dirname, '../../assets/sample-model')
const blocks = Number(process.argv[2] ?? billion.blocks)
const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-compress-'))
try {
  const model = path.join(folder, 'model')
  await writeSyntheticModel(model, { ...billion, blocks }, sample)
  const engine = createEngine()
  const stop = observe()
  const measured = await engine.measure({
    model, data: path.join(sample, 'calibration.txt'), samples: 4, length: 256, metric: 'layer-output', rounder: 'gptq', target: 'gguf', options: ['Q3_K', 'Q4_K'], out: path.join(folder, 'sensitivity.json'),
  }, silent)
  const { recipe } = await engine.plan({ model, measured, target: 'gguf', budget: { kind: 'bits', value: 4 } }, silent)
  const { predicted, elapsedMs: runMs } = await engine.run({ recipe, folder: path.join(folder, 'job'), out: path.join(folder, 'out') }, silent)
  const { peakMemoryBytes, eventLoopMaxMs, eventLoopMaxCpuMs, elapsedMs } = stop()
  await engine.close()
  process.stdout.write(`${JSON.stringify({
    name: `compress, ${blocks} blocks of width ${billion.hidden}, GPTQ`, peakMemoryBytes, predictedPeakBytes: predicted.peakMemoryBytes, eventLoopMaxMs, eventLoopMaxCpuMs, elapsedMs, runMs, predictedRunMs: predicted.elapsedMs, load: os.loadavg()[0],
  })}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
