/**
 * @file Training over packed weights: quality of the 2-bit sample model with branches of rank 16 after 300 steps of 2 x 256 tokens, of the
 * divergence alone (the PyTorch reference for GPTQ bases, trained so, is a KL of 0.00501), the time of a step over packed weights (in
 * memory, and read from disk block by block) beside the same step over dense ones and beside forwards, and with
 * HALFTONE_BENCH_BILLION the peak memory of steps on a synthetic 1.1 B model beside that of the ordinary way (`ordinary_step.py`).
 * HALFTONE_BENCH_STEPS shortens training.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { silent } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { kernels } from '../../../kernels/kernels.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { openCalibration } from '../calibrate/calibration.ts'
import { run } from '../run.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { openPark } from '../session/park.ts'
import { tool } from '../tool.ts'
import { baseOfBlobs, baseOfCheckpoint, type Base } from './base/base.ts'
import { openWeightPark } from './base/weight-park.ts'
import { objectives } from './objectives/objectives.ts'
import { openTrainingProgram } from './program/program.ts'
import { gradientsOfStep, meanLosses } from './step.ts'
import { newAdapter } from './trainables/adapters.ts'
import { openState } from './trainables/state.ts'
import type { TrainingWindow } from './window.ts'

const sample = path.resolve(import.meta.dirname, '../../../assets/sample-model')
const steps = Number(process.env.HALFTONE_BENCH_STEPS ?? 300)
const samples = 48
const length = 512
const reference = 0.00501
/** Peak memory of the same step done the ordinary way: ordinary_step.py in float16. */
const ordinary = 5.374e9

/** Linear layers in int2-g64 with rank-16 branches, everything else as it is. */
async function twoBits(model: DecoderModel): Promise<Recipe> {
  const { sha256 } = await openCalibration(model, path.join(sample, 'calibration.txt'), { samples, length, seed: 0 }, silent)
  return {
    version: 1, tool, model: { path: sample, sha256: await model.checkpoint.sha256() }, data: { path: path.join(sample, 'calibration.txt'), sha256, samples, length }, target: 'onnx', budget: { kind: 'ratio', value: 1 },
    pins: {}, metric: 'none', rounder: 'gptq', correction: 'lrec', adapterStorage: 'float16', training: { steps, batch: 2, length: 256, windows: 1024, trainable: ['adapters'], ceWeight: 0 }, seed: 0,
    choice: model.layers.map(({ name, block }) => ({ name, option: block === null ? 'F16' : 'int2-g64', rank: block === null ? 0 : 16, bytes: 0, predictedLoss: 0 })),
    predicted: { sizeBytes: 0, bitsPerWeight: 0, peakMemoryBytes: 0, elapsedMs: 0, loss: 0 },
  }
}

async function quality(model: DecoderModel, folder: string): Promise<Record<string, unknown>> {
  const { klMean, klStderr, perplexity, training, elapsedMs } = await run({ recipe: await twoBits(model), folder: path.join(folder, 'job'), out: folder, text: path.join(sample, 'validation.txt') }, silent)
  return { name: 'int2-g64 GPTQ, rank 16 from EoRA, KL to the original', steps, klMean, klStderr, perplexity, reference, ratio: (klMean ?? NaN) / reference, heldOut: training?.heldOut, seconds: elapsedMs / 1000 }
}

/** Layers of the blocks rounded to a format. */
async function packed(model: DecoderModel, codec: CodecName): Promise<Base> {
  const blobs = new Map<string, Uint8Array>()
  for (const { name, block, shape: [rows, cols] } of model.layers) {
    if (block === null) continue
    const bytes = new Uint8Array(kernels().codecBytes(codec, { rows, cols }))
    await kernels().encode(codec, { rows, cols }, await model.readWeight(name), null, 'nearest', bytes)
    blobs.set(name, bytes)
  }
  return baseOfBlobs(model, new Map([...blobs.keys()].map((layer) => [layer, codec])), (layer) => Promise.resolve(blobs.get(layer) ?? new Uint8Array()))
}

function windows(model: DecoderModel, count: number, tokens: number): TrainingWindow[] {
  const random = createRandom(5)
  return Array.from({ length: count }, () => ({ tokens: Int32Array.from({ length: tokens }, () => Math.floor(random() * model.spec.vocabulary)) }))
}

/** Milliseconds of a step and of a forward, the best of `turns`. */
async function times(base: Base, turns: number, tokens: number, weights = openWeightPark()): Promise<{ stepMs: number; forwardMs: number }> {
  const { model } = base
  const state = await openState(base, { adapter: newAdapter(model, 16, {}), sets: ['adapters'], weights }, silent.signal)
  const objective = objectives.ce({})
  const program = openTrainingProgram(state, { objective, teacherHead: null, threads: 1, signal: silent.signal })
  const park = openPark({ windows: model.spec.blocks, slotBytes: tokens * model.spec.hidden * 4, memoryBytes: Infinity })
  const task = { program, objective, targets: null, windows: windows(model, 1, tokens), microBatch: 1 }
  const best = { stepMs: Infinity, forwardMs: Infinity }
  try {
    for (let turn = 0; turn <= turns; turn++) {
      const begun = performance.now()
      await gradientsOfStep(task, [0], park)
      const between = performance.now()
      await meanLosses(task)
      if (turn === 0) continue // sessions are made in the first turn
      best.stepMs = Math.min(best.stepMs, between - begun)
      best.forwardMs = Math.min(best.forwardMs, performance.now() - between)
    }
  } finally {
    program.dispose()
    await park.dispose()
    await weights.dispose()
  }
  return best
}

async function stepTimes(model: DecoderModel, folder: string): Promise<Record<string, unknown>[]> {
  const turns = 5
  const dense = await times(baseOfCheckpoint(model), turns, 512)
  const rows: Record<string, unknown>[] = [{ name: 'step, dense float32', ...dense, forwards: dense.stepMs / dense.forwardMs }]
  for (const codec of ['int2-g64', 'int3-g64', 'int4-g64'] as const) {
    const base = await packed(model, codec)
    for (const [place, weights] of [['in memory', openWeightPark()], ['on disk', openWeightPark({ holds: () => false, folder })]] as const) {
      const own = await times(base, turns, 512, weights)
      rows.push({ name: `step, ${codec}, weights ${place}`, ...own, forwards: own.stepMs / own.forwardMs, overDense: own.stepMs / dense.stepMs })
    }
  }
  return rows
}

/** Peak memory of two steps in a process of its own. */
async function billionMemory(): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (const codec of ['int2-g64', 'int3-g64', 'int4-g64']) {
    const child = spawn(process.execPath, [path.join(import.meta.dirname, 'billion-step.ts'), codec], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString() })
    await once(child, 'close')
    const row = JSON.parse(said) as Record<string, unknown> & { peakMemoryBytes: number }
    rows.push({ ...row, ordinary, timesLess: ordinary / row.peakMemoryBytes })
  }
  return rows
}

export async function bench(): Promise<Record<string, unknown>[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-train-'))
  const model = await openDecoder(sample, silent)
  try {
    const results = [...(await stepTimes(model, folder)), await quality(model, folder)]
    return process.env.HALFTONE_BENCH_BILLION === undefined ? results : [...results, ...(await billionMemory())]
  } finally {
    await model.close()
    await rm(folder, { recursive: true, force: true })
  }
}
