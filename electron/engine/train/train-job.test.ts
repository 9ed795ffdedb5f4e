import { cp, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { AppError } from '../../contract/errors.ts'
import { silent, type JobEvent } from '../../contract/events.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { splitWindows } from './held-out.ts'
import { golden, quantized } from './testing.ts'
import { trainJob } from './train-job.ts'
import { windowsOfStep } from './window.ts'
import { withNorms } from './with-norms.ts'

async function windows(): Promise<readonly Int32Array[]> {
  const random = createRandom(3)
  return Promise.resolve(Array.from({ length: 12 }, () => Int32Array.from({ length: 12 }, () => Math.floor(random() * 96))))
}

async function withModel(work: (model: DecoderModel, folder: string) => Promise<void>): Promise<void> {
  const model = await openDecoder(golden, silent)
  try {
    await withFolder((folder) => work(model, folder))
  } finally {
    await model.close()
  }
}

async function trainedFiles(folder: string): Promise<Record<string, Buffer>> {
  const names = (await readdir(path.join(folder, 'files'))).filter((name) => name.startsWith('trained-')).sort()
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, 'files', name))] as const)))
}

describe('trainJob', () => {
  test('scales and norms alone take no bytes and bring the model nearer to the original', () => withModel(async (model, folder) => {
    const job = await quantized(folder, model, 'scales', 0)
    const trained = await trainJob(job, model, windows)
    expect(trained?.summary).toMatchObject({ objective: 'lrec', trainable: ['scales', 'norms'], steps: 4, skipped: 0 })
    expect(trained?.summary.heldOut?.after).toBeLessThan(trained?.summary.heldOut?.before ?? 0)
    expect(trained?.adapter).toBeNull()
    for (const { name, block } of model.layers) {
      const before = await job.readTensor(name)
      const after = await trained?.blob(name)
      expect(after).toHaveLength(before.length)
      expect(after && Buffer.from(after).equals(before)).toBe(block === null || name.endsWith('down'))
    }
  }))

  test('goes on after a stop to the same bytes, and trains once', () => withModel(async (model, folder) => {
    const [whole, stopped] = [path.join(folder, 'whole'), path.join(folder, 'stopped')]
    const job = await quantized(whole, model, 'lrec', 2)
    await cp(whole, stopped, { recursive: true })
    await trainJob(job, model, windows)
    const wanted = await trainedFiles(whole)
    expect(Object.keys(wanted).filter((name) => name.startsWith('trained-adapter-'))).toHaveLength(14)
    const stop = new AbortController()
    const report = (event: JobEvent): void => {
      if (event.type === 'point' && event.series === 'loss' && event.step === 2) stop.abort(new AppError('cancelled', 'Cancelled'))
    }
    await expect(trainJob(await quantized(stopped, model, 'lrec', 2, { signal: stop.signal, report }), model, windows)).rejects.toMatchObject({ code: 'cancelled' })
    expect(await trainedFiles(stopped)).toEqual({})
    await trainJob(await quantized(stopped, model, 'lrec', 2), model, windows)
    expect(await trainedFiles(stopped)).toEqual(wanted)
    const again = await trainJob(await quantized(stopped, model, 'lrec', 2), model, () => Promise.reject(new Error('trained again')))
    expect(again?.adapter?.branches.size).toBe(14)
    const branch = await again?.adapter?.read('blocks.0.q')
    const row = branch?.a.subarray(0, 32) ?? new Float32Array()
    const unit = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127
    for (const value of row) expect(Math.abs(value / unit - Math.round(value / unit))).toBeLessThan(1e-3) // int8, as the file will hold it
  }))

  test('learns from what the original writes beside the data', () => withModel(async (model, folder) => {
    const trainedOn = async (name: string, written: number): Promise<{ files: Record<string, Buffer>; texts: number; points: Record<string, number> }> => {
      const points: Record<string, number> = {}
      const report = (event: JobEvent): void => {
        if (event.type === 'point') points[event.series] = (points[event.series] ?? 0) + 1
      }
      const job = await quantized(path.join(folder, name), model, 'scales', 0, { ...silent, report })
      const { recipe } = job
      await trainJob({ ...job, recipe: { ...recipe, training: recipe.training && { ...recipe.training, steps, written } } }, model, windows)
      return { files: await trainedFiles(path.join(folder, name)), texts: ((await job.readFile('written.bin'))?.length ?? 0) / 12 / 4, points }
    }
    const steps = 12
    const [none, some] = [await trainedOn('none', 0), await trainedOn('some', 40)]
    expect([none.texts, some.texts]).toEqual([0, 40])
    expect(none.points).toMatchObject({ loss: steps, ce: steps, kl: steps })
    const { windows: read } = splitWindows(await windows())
    const ofData = Array.from({ length: steps }, (_, step) => windowsOfStep(step, 2, read.length + 40, 0)).filter((numbers) => numbers.some((number) => number < read.length))
    expect(ofData.length).toBeLessThan(steps)
    expect(some.points).toMatchObject({ loss: ofData.length, ce: ofData.length, kl: steps }) // what was written has no labels
    expect(Object.keys(some.files)).toEqual(Object.keys(none.files))
    expect(some.files['trained-final_norm.norm.bin']).not.toEqual(none.files['trained-final_norm.norm.bin'])
  }))

  test('closed forms are not trained; training needs data', () => withModel(async (model, folder) => {
    const job = await quantized(path.join(folder, 'eora'), model, 'eora', 2)
    expect(await trainJob(job, model, windows)).toBeNull()
    const without = { ...job, recipe: { ...job.recipe, correction: 'lrec' as const, data: null } }
    await expect(trainJob(without, model, windows)).rejects.toMatchObject({ code: 'bad-recipe' })
  }))
})

test('norms in the place of a model\'s own are what readers and writers of tensors see', () => withModel(async (model) => {
  const norm = Float32Array.from({ length: 32 }, (_, at) => at / 8)
  const changed = withNorms(model, new Map([['blocks.1.mlp_norm', norm]]))
  expect((await changed.readExtras(1)).mlp_norm).toEqual(norm)
  expect((await changed.readExtras(0)).mlp_norm).toEqual((await model.readExtras(0)).mlp_norm)
  const tensor = model.places.get('blocks.1.mlp_norm')?.tensor ?? ''
  const { type, byteLength } = model.checkpoint.tensors.get(tensor) ?? { type: '', byteLength: 0 }
  const stored = await changed.checkpoint.read(tensor)
  expect([type, stored.length]).toEqual(['F16', byteLength])
  expect([...new Uint16Array(new Uint8Array(stored).buffer).subarray(0, 9)]).toEqual([0, 0x3000, 0x3400, 0x3600, 0x3800, 0x3900, 0x3a00, 0x3b00, 0x3c00]) // 0, 1/8 … 1
}))
