/** @file A small model and a job that has quantized it, for the tests of training. */
import path from 'node:path'
import { silent, type Context } from '../../contract/events.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { correctionOf } from '../correct/corrections.ts'
import { openJob, type Job } from '../job/job.ts'
import { quantizeDecoder } from '../quantize/quantize-decoder.ts'
import { nearest } from '../quantize/rounders/nearest.ts'
import type { DecoderModel } from '../session/model.ts'
import { openPark } from '../session/park.ts'
import { openProgram } from '../session/program.ts'

/** Two blocks of width 32, 96 tokens. */
export const golden = path.join(import.meta.dirname, '../session/goldens/llama')

async function recipeOf(model: DecoderModel, correction: Recipe['correction'], rank: number): Promise<Recipe> {
  return {
    version: 1, tool: 'test', model: { path: model.path, sha256: await model.checkpoint.sha256() }, data: { path: 'text', sha256: '', samples: 1, length: 8 }, target: 'gguf', budget: { kind: 'ratio', value: 1 }, pins: {}, metric: 'none', rounder: 'nearest',
    correction, adapterStorage: 'int8', seed: 0, training: { steps: 4, batch: 2, length: 12, windows: 8, learningRate: 0.01, scaleRate: 0.001 },
    choice: model.layers.map(({ name, block }) => ({ name, option: block === null || name.endsWith('down') ? 'F16' : 'Q4_0', rank: block === null ? 0 : rank, bytes: 0, predictedLoss: 0 })),
    predicted: { sizeBytes: 0, bitsPerWeight: 0, peakMemoryBytes: 0, elapsedMs: 0, loss: 0 },
  }
}

/** A quantized job of the small model, corrected where it has a rank. */
export async function quantized(folder: string, model: DecoderModel, correction: Recipe['correction'], rank: number, context: Context = silent): Promise<Job> {
  const job = await openJob(folder, await recipeOf(model, correction, rank), true, context)
  const program = openProgram(model, { signal: silent.signal, threads: 1 })
  const svd = correctionOf('svd')
  try {
    await quantizeDecoder({ job, layers: model.layers, runner: program, windows: [], rounder: nearest, correction: svd && { correction: svd, storage: 'int8', target: 'gguf' }, readRows: model.readRows, park: (windows) => openPark({ windows, slotBytes: 1, memoryBytes: 1 }) })
  } finally {
    program.dispose()
  }
  return job
}
