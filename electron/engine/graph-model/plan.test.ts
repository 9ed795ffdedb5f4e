import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { silent } from '../../contract/events.ts'
import type { PlanInput } from '../../contract/engine.ts'
import type { Sensitivity } from '../../contract/sensitivity.ts'
import { createEngine } from '../engine.ts'
import { writeModel } from '../graph/write.ts'
import { noise, npyBytes, smallCnn } from './testing.ts'

const engine = createEngine()
let folder: string
let model: string
let data: string
let text: string
let measured: Sensitivity

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'halftone-graph-plan-'))
  vi.stubEnv('XDG_CACHE_HOME', folder)
  model = path.join(folder, 'model.onnx')
  data = path.join(folder, 'images.npy')
  text = path.join(folder, 'apart.npy')
  await writeModel(smallCnn(), model)
  writeFileSync(data, npyBytes([20, 3, 12, 12], noise(20 * 432, 99)))
  writeFileSync(text, npyBytes([4, 3, 12, 12], noise(4 * 432, 7)))
  measured = await engine.measure({ model, data, metric: 'layer-output', rounder: 'gptq', samples: 12, out: path.join(folder, 'map.json') }, silent)
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

const plan = (changes: Partial<PlanInput>): ReturnType<typeof engine.plan> => engine.plan({ model, measured, target: 'onnx', budget: { kind: 'ratio', value: 1 }, ...changes }, silent)

describe('limits for one sample', () => {
  // Weights times output places of the 12x12 image, halved by the strided ones; the transposed convolution by its input's places.
  const macs = { stem: 32 * 27 * 144, depthwise: 32 * 25 * 144, main: 64 * 288 * 36, side: 64 * 32 * 36, grouped: 64 * 144 * 36, up: 64 * 64 * 36, hidden: 100 * 16, classes: 1000 }
  const total = Object.values(macs).reduce((sum, value) => sum + value)

  test('multiplications count every place a weight is used at', async () => {
    await expect(plan({ limits: { macs: total } })).resolves.toBeDefined()
    await expect(plan({ limits: { macs: total - 1 } })).rejects.toMatchObject({ code: 'budget-impossible', details: { limits: [{ name: 'macs', limit: total - 1, least: total }] } })
  })

  test('bit operations are kept below the limit, at the cost of loss', async () => {
    const bits = { F16: 16, 'int8-channel': 8, 'int8-g64': 8 } as Readonly<Record<string, number>>
    const bops = 16 * total * 7
    const { recipe } = await plan({ limits: { bops } })
    const used = recipe.choice.reduce((sum, { name, option }) => sum + macs[name as keyof typeof macs] * 16 * (bits[option] ?? 4), 0)
    expect(used).toBeLessThanOrEqual(bops)
    expect(recipe.predicted.loss).toBeGreaterThan((await plan({})).recipe.predicted.loss)
  })

  test('milliseconds are measured once a layer and option, kept, and a limit of none names the least', async () => {
    const least = await plan({ limits: { ms: 1e-9 } }).catch((error: unknown) => (error as { details: { limits: [{ least: number }] } }).details.limits[0].least)
    expect(least).toBeGreaterThan(0)
    // Taken from the table the second time, or the same number would not come out.
    await expect(plan({ limits: { ms: 1e-9 } })).rejects.toMatchObject({ code: 'budget-impossible', details: { limits: [{ least }] } })
    await expect(plan({ limits: { ms: 1000 } })).resolves.toBeDefined()
  })
})

describe('a plan to a quality', () => {
  test('in decibels of the worst output: the smallest is really that good, and the run finds the same', async () => {
    const room = { budget: { kind: 'bytes', value: 90_000 }, text } as const
    const anything = await plan({ ...room, quality: { name: 'sqnr', value: 1 } })
    const most = await plan({ ...room, quality: { name: 'sqnr', value: 1000 } }).catch((error: unknown) => (error as { details: { reached: number } }).details.reached)
    const wanted = ((anything.measured?.value ?? NaN) + Number(most)) / 2
    const { recipe, measured: found } = await plan({ ...room, quality: { name: 'sqnr', value: wanted } })
    expect(found?.name).toBe('sqnr')
    expect(found?.value).toBeGreaterThanOrEqual(wanted)
    expect(recipe.predicted.sizeBytes).toBeGreaterThan(anything.recipe.predicted.sizeBytes)
    expect(recipe.predicted.sizeBytes).toBeLessThan(79_000)
    const report = await engine.run({ recipe, folder: path.join(folder, 'job'), out: path.join(folder, 'out'), text }, silent)
    expect(report.outputs?.[0].sqnr).toBeCloseTo(found?.value ?? NaN, 6)
  })

  test('one the model does not have is refused with those it has; so is one without samples', async () => {
    await expect(plan({ quality: { name: 'ppl', value: 20 } })).rejects.toMatchObject({ code: 'bad-request', message: expect.stringMatching(/no such quality, it has kl, same-top, sqnr/) as string })
    const blind = { ...measured, data: { path: '', sha256: '' } }
    await expect(plan({ measured: blind, quality: { name: 'kl', value: 1 } })).rejects.toMatchObject({ code: 'bad-request', message: expect.stringMatching(/no samples to try plans on/) as string })
    await expect(plan({ measured: blind, limits: { macs: 1 } })).rejects.toMatchObject({ code: 'bad-request', message: expect.stringMatching(/no samples/) as string })
  })
})

test('the time of a run counts its passes: more samples take longer, and none are counted where the data has gone', async () => {
  const time = async (samples: number, changes: Partial<Sensitivity['data']> = {}): Promise<number> => (await plan({ measured: { ...measured, data: { ...measured.data, samples, tokens: samples, ...changes } } })).recipe.predicted.elapsedMs
  const few = await time(12)
  const many = await time(12_000)
  expect(many).toBeGreaterThan(few)
  expect(await time(12_000, { path: path.join(folder, 'gone.npy') })).toBeLessThan(many)
})

test('uniform plans and points of the curve are the sizes of their files, nodes counted', async () => {
  const { uniform, curve } = await plan({})
  const least = Math.min(...curve.map(({ bytes }) => bytes))
  // The smallest point of the curve can be had, and not a hundredth less.
  const { recipe } = await plan({ budget: { kind: 'bytes', value: Math.ceil(least * 1.01) } })
  expect(Math.abs(recipe.predicted.sizeBytes / least - 1)).toBeLessThan(0.01)
  await expect(plan({ budget: { kind: 'bytes', value: Math.floor(least * 0.99) } })).rejects.toMatchObject({ code: 'budget-impossible' })
  for (const { option, bytes } of uniform.filter(({ option: name }) => name !== 'F16')) {
    const choice = (await plan({ budget: { kind: 'bytes', value: Math.ceil(bytes * 1.01) }, pins: Object.fromEntries(measured.layers.flatMap(({ name, options }) => (Object.hasOwn(options, option) ? [[name, option]] : []))) })).recipe
    expect(choice.predicted.sizeBytes, option).toBeLessThanOrEqual(bytes * 1.01)
  }
})
