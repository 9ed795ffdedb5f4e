import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silent, type Context } from '../../../contract/events.ts'
import { learnedRoundings, type Recipe } from '../../../contract/recipe.ts'
import { withFolder } from '../../io/temporary-folder.ts'
import { openJob } from '../../job/job.ts'
import index from '../../session/goldens/index.json' with { type: 'json' }
import { openDecoder, type DecoderModel } from '../../session/model.ts'
import { quantizeJob } from '../../run.ts'
import { golden } from '../../train/testing.ts'

const windows = index.tokens.map((window) => Int32Array.from(window))

async function recipeOf(model: DecoderModel, learnedRounding?: Recipe['learnedRounding']): Promise<Recipe> {
  return {
    version: 1, tool: 'test', model: { path: model.path, sha256: await model.checkpoint.sha256() }, data: null, target: 'onnx', budget: { kind: 'ratio', value: 1 }, pins: {}, metric: 'none', rounder: 'gptq',
    ...(learnedRounding && { learnedRounding }), correction: 'none', seed: 0,
    choice: model.layers.map(({ name, block }) => ({ name, option: block === null ? 'F16' : name.endsWith('down') ? 'int3-channel' : 'int2-g32', rank: 0, bytes: 0, predictedLoss: 0 })),
    predicted: { sizeBytes: 0, bitsPerWeight: 0, peakMemoryBytes: 0, elapsedMs: 0, loss: 0 },
  }
}

async function tensorsOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(path.join(folder, 'tensors'))).filter((name) => name.endsWith('.bin'))
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await readFile(path.join(folder, 'tensors', name))).toString('base64')])))
}

async function quantize(folder: string, model: DecoderModel, recipe: Recipe, context: Context = silent): Promise<Record<string, string>> {
  await quantizeJob(await openJob(folder, recipe, true, context), model, { windows })
  return tensorsOf(folder)
}

describe.each(learnedRoundings)('learned rounding: %s', (name) => {
  let model: DecoderModel
  beforeAll(async () => { model = await openDecoder(golden, silent) })
  afterAll(() => model.close())

  it('lowers the error of every block it changes, and a killed run gives the same bytes', () => withFolder(async (folder) => {
    const plain = await quantize(path.join(folder, 'plain'), model, await recipeOf(model))
    const recipe = await recipeOf(model, name)
    const errors: string[] = []
    const learned = await quantize(path.join(folder, 'learned'), model, recipe, { ...silent, report: (event) => { if (event.type === 'log') errors.push(event.text) } })
    expect(errors).toHaveLength(2)
    for (const text of errors) {
      const [before = NaN, after = NaN] = [...text.matchAll(/\d\.\d+e[-+]\d+/g)].map(([number]) => Number(number))
      expect(after).toBeLessThan(before)
    }
    const changed = Object.keys(plain).filter((layer) => plain[layer] !== learned[layer])
    expect(changed.length).toBeGreaterThan(7)
    expect(changed.some((layer) => layer.includes('embedding'))).toBe(false)

    const stop = new AbortController()
    const stopped = quantize(path.join(folder, 'stopped'), model, recipe, { signal: stop.signal, report: (event) => { if (event.type === 'log') stop.abort(new Error('stopped')) } })
    await expect(stopped).rejects.toThrow('stopped')
    expect(await quantize(path.join(folder, 'stopped'), model, recipe)).toEqual(learned)
  }))
})
