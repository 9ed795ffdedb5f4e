import { readdir, readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { kernels } from '../../../kernels/kernels.ts'
import { silent, type Context } from '../../contract/events.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { addInputs, emptyStatistics } from '../calibrate/statistics.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openJob, type Job } from '../job/job.ts'
import { quantizeDecoder } from '../quantize/quantize-decoder.ts'
import { nearest } from '../quantize/rounders/nearest.ts'
import { roundingStatistics } from '../quantize/rounders/rounder.ts'
import index from '../session/goldens/index.json' with { type: 'json' }
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { openPark } from '../session/park.ts'
import { openProgram } from '../session/program.ts'
import { correctionOf, type ClosedForm } from './corrections.ts'
import { correctionInputs } from './inputs.ts'
import { jobAdapter, readBranch } from './job-adapter.ts'
import { mergeBranch } from './merge.ts'
import { roundCorrected, type CorrectedLayer } from './round-corrected.ts'
import { scaledRows } from './row-weights.ts'

const golden = path.join(import.meta.dirname, '../session/goldens/llama')
const windows = index.tokens.map((window) => Int32Array.from(window))
const shape = { rows: 24, cols: 32 }

function closedForm(name: ClosedForm): NonNullable<ReturnType<typeof correctionOf>> {
  const correction = correctionOf(name)
  if (correction === null) throw new Error(`${name} has no closed form`)
  return correction
}

/** A random layer and inputs whose columns differ in size and are mixed with each other. */
async function randomLayer(): Promise<{ weights: Float32Array; statistics: ReturnType<typeof emptyStatistics> }> {
  const random = createRandom(4)
  const normal = (): number => random() + random() + random() + random() - 2
  const weights = Float32Array.from({ length: shape.rows * shape.cols }, normal)
  const tokens = 150
  const hidden = Float32Array.from({ length: tokens * shape.cols }, (_, at) => normal() / (1 + (at % shape.cols)))
  const mix = Float32Array.from({ length: shape.cols * shape.cols }, normal)
  const x = new Float32Array(tokens * shape.cols)
  await kernels().matmul(hidden, mix, tokens, shape.cols, shape.cols, false, false, x)
  const statistics = emptyStatistics(shape.cols)
  await addInputs(statistics, x)
  return { weights, statistics }
}

async function corrected(name: ClosedForm, rank: number, storage: 'float16' | 'int8' = 'float16'): Promise<CorrectedLayer> {
  const { weights, statistics } = await randomLayer()
  return roundCorrected({
    correction: closedForm(name), storage, target: 'onnx', layer: 'x', codec: 'int2-g32', shape, rank, weights, rounder: nearest,
    inputs: roundingStatistics(statistics), corrections: correctionInputs(statistics), signal: silent.signal,
  })
}

describe('a layer', () => {
  test('the error told is that of the weights given back, and falls with the rank', async () => {
    const { weights, statistics } = await randomLayer()
    let before = Infinity
    for (const rank of [1, 4, 12]) {
      const layer = await corrected('eora', rank)
      const rounded = new Float32Array(weights.length)
      await kernels().decode('int2-g32', shape, layer.bytes, rounded)
      const merged = await mergeBranch(rounded, layer.branch)
      expect(merged).toEqual(layer.weights)
      expect(layer.error).toBeCloseTo((await kernels().outputError(weights, merged, shape, statistics.hessian)) / statistics.tokens, 10)
      expect(layer.error).toBeLessThan(before)
      before = layer.error
    }
  })

  test('alternating with rounding leaves less than one round does', async () => {
    for (const rank of [2, 6]) expect((await corrected('lq-lora', rank)).error).toBeLessThan((await corrected('eora', rank)).error)
  })

  test('weighted by rows, the branch is the best one in that metric, and not in the plain one', async () => {
    const { weights, statistics } = await randomLayer()
    const rows = Float64Array.from({ length: shape.rows }, (_, row) => (row % 5 === 0 ? 25 : 1 / 4))
    const task = { storage: 'float16', target: 'onnx', layer: 'x', codec: 'int2-g32', shape, rank: 3, weights, rounder: nearest, inputs: roundingStatistics(statistics), corrections: correctionInputs(statistics), signal: silent.signal } as const
    const once = { ...closedForm('lq-lora'), alternations: 0 }
    const [weighted, plain] = [await roundCorrected({ ...task, correction: once, rowWeights: () => Promise.resolve(rows) }), await roundCorrected({ ...task, correction: once })]
    expect(weighted.bytes).toEqual(plain.bytes)
    const roots = Float32Array.from(rows, Math.sqrt)
    const weightedError = (layer: CorrectedLayer): Promise<number> => kernels().outputError(scaledRows(weights, roots), scaledRows(layer.weights, roots), shape, statistics.hessian)
    // The same by the kernels' own closed form, on rows multiplied beforehand.
    const rounded = new Float32Array(weights.length)
    await kernels().decode('int2-g32', shape, plain.bytes, rounded)
    const delta = scaledRows(weights.map((value, at) => value - (rounded[at] ?? NaN)), roots)
    const [b, a] = [new Float32Array(shape.rows * 3), new Float32Array(3 * shape.cols)]
    await kernels().lowRankCorrection(delta, shape, statistics.hessian, 3, 1, b, a)
    const left = await mergeBranch(delta, { layer: 'x', rank: 3, alpha: 3, a, b }, -1)
    const least = await kernels().outputError(left, new Float32Array(left.length), shape, statistics.hessian)
    expect(await weightedError(weighted)).toBeLessThan(1.01 * least)
    expect(await weightedError(weighted)).toBeLessThan(0.95 * (await weightedError(plain)))
    expect(plain.error).toBeLessThan(weighted.error)
  })

  test('int8 numbers cost a little error, and are what they say', async () => {
    const [half, int8] = [await corrected('eora', 4), await corrected('eora', 4, 'int8')]
    expect(int8.error).toBeGreaterThan(half.error)
    expect(int8.error).toBeLessThan(1.02 * half.error)
    for (let component = 0; component < 4; component++) {
      const row = int8.branch.a.subarray(component * shape.cols, (component + 1) * shape.cols)
      const step = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
      for (const value of row) expect(Math.abs(value / step - Math.round(value / step))).toBeLessThan(1e-4)
    }
  })

  test('refuses a rank above its own, and weighing without data', async () => {
    await expect(corrected('eora', 25)).rejects.toThrow('layer x: found rank 25, expected at most 24')
    const task = { storage: 'float16', target: 'gguf', layer: 'x', codec: 'int2-g32', shape, rank: 2, weights: (await randomLayer()).weights, rounder: nearest, inputs: null, corrections: null, signal: silent.signal } as const
    await expect(roundCorrected({ ...task, correction: closedForm('eora') })).rejects.toThrow('the recipe has no calibration data')
    const blind = await roundCorrected({ ...task, correction: closedForm('svd') })
    expect(blind.branch.rank).toBe(2)
  })
})

/** Layers of the second block's attention and of the first one's MLP corrected, others not. */
const ranks = new Map([['blocks.0.gate', 3], ['blocks.0.down', 2], ['blocks.1.q', 2], ['blocks.1.o', 4]])

function recipeOf(model: DecoderModel, correction: Recipe['correction'] = 'eora'): Recipe {
  return {
    version: 1, tool: 'halftone test', model: { path: golden, sha256: 'aa' }, data: null, target: 'onnx', budget: { kind: 'bits', value: 3 }, pins: {}, metric: 'none', rounder: 'nearest', correction, seed: 0,
    choice: model.layers.map(({ name }) => ({ name, option: name.includes('down') ? 'F16' : 'int2-g32', rank: ranks.get(name) ?? 0, bytes: 0, predictedLoss: 0 })),
    predicted: { sizeBytes: 0, bitsPerWeight: 0, peakMemoryBytes: 0, elapsedMs: 0, loss: 0 },
  }
}

async function quantize(model: DecoderModel, job: Job): Promise<void> {
  const program = openProgram(model, { threads: 1 })
  const correction = correctionOf(job.recipe.correction)
  try {
    await quantizeDecoder({
      job, layers: model.layers, runner: program, windows, rounder: nearest, readRows: model.readRows,
      correction: correction && { correction, storage: 'float16', target: 'onnx' },
      park: (count) => openPark({ windows: count, slotBytes: 24 * 32 * 4, memoryBytes: 1 << 20 }),
    })
  } finally {
    program.dispose()
  }
}

/** Names and contents of everything a job has made. */
async function contents(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  for (const part of ['tensors', 'files']) for (const name of (await readdir(path.join(folder, part))).sort()) all[`${part}/${name}`] = (await readFile(path.join(folder, part, name))).toString('base64')
  return all
}

describe('a model', () => {
  test('later layers are rounded for inputs of corrected ones; branches are the job’s', async () => {
    const model = await openDecoder(golden, silent)
    await withFolder(async (folder) => {
      const job = await openJob(path.join(folder, 'job'), recipeOf(model), false, silent)
      await quantize(model, job)
      const source = jobAdapter(job, model.layers, job.recipe.choice)
      expect([...(source?.branches.keys() ?? [])].sort()).toEqual([...ranks.keys()].sort())
      const branch = await source?.read('blocks.1.o')
      expect(branch).toMatchObject({ layer: 'blocks.1.o', rank: 4, alpha: 4 })
      // The statistics of block 1 differ from those without corrections before it: so does the error told for its own layers.
      const plain = recipeOf(model, 'none')
      const bare = await openJob(path.join(folder, 'bare'), { ...plain, choice: plain.choice.map((one) => ({ ...one, rank: 0 })) }, false, silent)
      await quantize(model, bare)
      const errorOf = async (from: Job, name: string): Promise<number> => (await from.finished(name, 'int2-g32'))?.error ?? NaN
      expect(await errorOf(job, 'blocks.0.gate')).toBeLessThan(await errorOf(bare, 'blocks.0.gate'))
      expect(await errorOf(job, 'blocks.0.q')).toBe(await errorOf(bare, 'blocks.0.q'))
      expect(await errorOf(job, 'blocks.1.v')).not.toBe(await errorOf(bare, 'blocks.1.v'))
    })
    await model.close()
  })

  test('stopped anywhere and resumed, it gives the same bytes', async () => {
    const model = await openDecoder(golden, silent)
    await withFolder(async (folder) => {
      const recipe = recipeOf(model)
      await quantize(model, await openJob(path.join(folder, 'whole'), recipe, false, silent))
      for (const stopAt of [4, 9]) {
        const stopped = path.join(folder, `stopped-${stopAt}`)
        const stop = new AbortController()
        let tensors = 0
        const context: Context = { signal: stop.signal, report: (event) => { if (event.type === 'tensor' && ++tensors === stopAt) stop.abort() } }
        await expect(quantize(model, await openJob(stopped, recipe, false, context))).rejects.toThrow(/abort/i)
        expect(Object.keys(await contents(stopped)).length).toBeLessThan(Object.keys(await contents(path.join(folder, 'whole'))).length)
        await quantize(model, await openJob(stopped, recipe, true, silent))
        expect(await contents(stopped)).toEqual(await contents(path.join(folder, 'whole')))
      }
    })
    await model.close()
  })

  test('a rank without a correction, and a branch that is gone, are told', async () => {
    const model = await openDecoder(golden, silent)
    await withFolder(async (folder) => {
      await expect(quantize(model, await openJob(path.join(folder, 'none'), recipeOf(model, 'none'), false, silent))).rejects.toThrow('layer blocks.0.gate: found rank 3, expected none: the recipe says "none" for correction')
      const job = await openJob(path.join(folder, 'job'), recipeOf(model), false, silent)
      await quantize(model, job)
      await rm(path.join(folder, 'job/files/adapter-blocks.1.q.bin'))
      const layer = model.layers.find(({ name }) => name === 'blocks.1.q')
      if (!layer) throw new Error('no such layer')
      await expect(readBranch(job, layer, 2)).rejects.toThrow('the correction of blocks.1.q is gone')
    })
    await model.close()
  })
})
