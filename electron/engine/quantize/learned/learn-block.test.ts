import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silent, type Context } from '../../../contract/events.ts'
import type { Recipe } from '../../../contract/recipe.ts'
import { withFolder } from '../../io/temporary-folder.ts'
import { openJob } from '../../job/job.ts'
import index from '../../session/goldens/index.json' with { type: 'json' }
import { openDecoder, type DecoderModel } from '../../session/model.ts'
import { openPark } from '../../session/park.ts'
import { openProgram } from '../../session/program.ts'
import { baseOfBlobs } from '../../train/base/base.ts'
import { golden } from '../../train/testing.ts'
import { codecOf, quantizeDecoder } from '../quantize-decoder.ts'
import { gptq } from '../rounders/gptq.ts'
import { learnBlock } from './learn-block.ts'
import type { LearnedRounding } from './learner.ts'
import { pvTune } from './pv.ts'
import { signRound } from './signround.ts'

const windows = index.tokens.map((window) => Int32Array.from(window))
const slotBytes = Math.max(...windows.map(({ length }) => length)) * 32 * 4
const roundings: Readonly<Record<string, LearnedRounding>> = {
  signround: (problem) => signRound(problem, { steps: 12, batch: 1, scaleRate: 0.1 }),
  pv: (problem) => pvTune(problem, { rounds: 2, scaleSteps: 1, scaleRate: 3e-3, share: 0.01 }),
}

function recipeOf(model: DecoderModel): Recipe {
  return {
    version: 1, tool: 'test', model: { path: model.path, sha256: '' }, data: null, target: 'onnx', budget: { kind: 'ratio', value: 1 }, pins: {}, metric: 'none', rounder: 'gptq', correction: 'none', seed: 0,
    choice: model.layers.map(({ name, block }) => ({ name, option: block === null ? 'F16' : name.endsWith('down') ? 'int3-channel' : 'int2-g32', rank: 0, bytes: 0, predictedLoss: 0 })),
    predicted: { sizeBytes: 0, bitsPerWeight: 0, peakMemoryBytes: 0, elapsedMs: 0, loss: 0 },
  }
}

async function tensorsOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(path.join(folder, 'tensors'))).filter((name) => name.endsWith('.bin'))
  return Object.fromEntries(await Promise.all(names.map(async (name): Promise<[string, string]> => [name, await readFile(path.join(folder, 'tensors', name), 'base64')])))
}

describe('learned rounding', () => {
  let model: DecoderModel
  beforeAll(async () => { model = await openDecoder(golden, silent) })
  afterAll(() => model.close())

  async function quantize(folder: string, learn: LearnedRounding | null, context: Context = silent): Promise<Record<string, string>> {
    const recipe = recipeOf(model)
    const job = await openJob(folder, recipe, true, context)
    const program = openProgram(model, { signal: silent.signal, threads: 1 })
    const base = baseOfBlobs(model, new Map(recipe.choice.map(({ name, option }) => [name, codecOf(option)])), (layer) => job.readTensor(layer))
    try {
      await quantizeDecoder({
        job, layers: model.layers, runner: program, windows, rounder: gptq, readRows: model.readRows, park: (count) => openPark({ windows: count, slotBytes, memoryBytes: 1 << 20 }),
        learn: learn && ((block, hidden) => learnBlock({ base, block, adapter: new Map(), source: model.readWeight, ...hidden, learn, seed: block, threads: 1, signal: context.signal })),
      })
    } finally {
      program.dispose()
    }
    return tensorsOf(folder)
  }

  it.each(Object.keys(roundings))('by %s lowers the error of the blocks, and a run that was stopped gives the same bytes', (name) => withFolder(async (folder) => {
    const learn = roundings[name] ?? null
    const plain = await quantize(path.join(folder, 'plain'), null)
    const told: string[] = []
    const learned = await quantize(path.join(folder, 'learned'), learn, { ...silent, report: (event) => { if (event.type === 'log') told.push(event.text) } })
    expect(told).toHaveLength(2)
    for (const text of told) {
      const [before = NaN, after = NaN] = [...text.matchAll(/\d\.\d+e[-+]\d+/g)].map(([number]) => Number(number))
      expect(after).toBeLessThan(before)
    }
    const changed = Object.keys(plain).filter((layer) => plain[layer] !== learned[layer])
    expect(changed.length).toBeGreaterThan(7)
    expect(changed.some((layer) => layer.includes('embedding'))).toBe(false)

    const stop = new AbortController()
    const stopped = quantize(path.join(folder, 'stopped'), learn, { signal: stop.signal, report: (event) => { if (event.type === 'log') stop.abort(new Error('stopped')) } })
    await expect(stopped).rejects.toThrow('stopped')
    expect(await quantize(path.join(folder, 'stopped'), learn)).toEqual(learned)
  }))
})
