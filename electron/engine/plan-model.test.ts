import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { PlanInput } from '../contract/engine.ts'
import { silent } from '../contract/events.ts'
import type { Sensitivity } from '../contract/sensitivity.ts'
import { createEngine } from './engine.ts'
import { smallTokenizer } from './export/testing.ts'
import { openDecoder } from './session/model.ts'

const engine = createEngine()
let folder: string
let model: string
let text: string
const maps = new Map<string, Sensitivity>()

/** Text of the small vocabulary, always the same. */
function letters(count: number, seed: number): string {
  let state = seed
  return Array.from({ length: count }, () => String.fromCharCode(0x21 + ((state = (state * 48_271) % 2_147_483_647) % 88))).join('')
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-plan-'))
  model = path.join(folder, 'model')
  text = path.join(folder, 'text.txt')
  await mkdir(model)
  for (const name of ['config.json', 'model.safetensors']) await cp(path.join(import.meta.dirname, 'session/goldens/llama', name), path.join(model, name))
  const { json, config } = smallTokenizer().file
  await writeFile(path.join(model, 'tokenizer.json'), JSON.stringify(json))
  await writeFile(path.join(model, 'tokenizer_config.json'), JSON.stringify(config))
  await writeFile(path.join(folder, 'data.txt'), letters(2000, 5))
  await writeFile(text, letters(600, 77))
  for (const target of ['gguf', 'onnx'] as const) {
    maps.set(target, await engine.measure({ model, data: path.join(folder, 'data.txt'), metric: 'layer-output', rounder: 'search', target, samples: 4, length: 24, out: path.join(folder, `${target}.json`) }, silent))
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function plan(changes: Partial<PlanInput>): ReturnType<typeof engine.plan> {
  const target = changes.target ?? 'gguf'
  const measured = maps.get(target)
  if (!measured) throw new Error(`no map of ${target}`)
  return engine.plan({ model, measured, target, budget: { kind: 'bytes', value: 1_000_000 }, text, ...changes }, silent)
}

describe('a plan to a quality', () => {
  test('is carried out and keeps it; the run of its recipe measures the same', async () => {
    const temporary = path.join(folder, 'temporary')
    await mkdir(temporary)
    vi.stubEnv('TMPDIR', temporary)
    const wide = await plan({ quality: { name: 'kl', value: 1 } })
    const smallest = await plan({ budget: { kind: 'bytes', value: wide.recipe.predicted.sizeBytes } })
    expect(wide.recipe.choice).toEqual(smallest.recipe.choice) // anything is good enough: the smallest there is
    const target = (wide.measured?.value ?? 0) / 3
    const { recipe, measured } = await plan({ quality: { name: 'kl', value: target } })
    expect(measured?.value).toBeLessThanOrEqual(target)
    expect(measured?.evaluations).toBeGreaterThan(1)
    expect(recipe.predicted.sizeBytes).toBeGreaterThan(wide.recipe.predicted.sizeBytes)
    const out = path.join(folder, 'out')
    const report = await engine.run({ recipe, folder: path.join(out, 'job'), out, text }, silent)
    expect(report.klMean).toBeCloseTo(measured?.value ?? NaN, 9)
    expect(report.sizeBytes).toBe(recipe.predicted.sizeBytes)
    expect(await readdir(temporary)).toEqual([]) // nothing of the trials is left
    vi.unstubAllEnvs()
  })

  test('in the other units: agreement at least, perplexity at most', async () => {
    const agreeing = await plan({ quality: { name: 'same-top', value: 0.9 } })
    expect(agreeing.measured?.value).toBeGreaterThanOrEqual(0.9)
    const ratio = await plan({ quality: { name: 'ppl-ratio', value: 1.001 } })
    expect(ratio.measured?.value).toBeLessThanOrEqual(1.001)
    await expect(plan({ quality: { name: 'ppl', value: 1 } })).rejects.toMatchObject({ code: 'budget-impossible' })
  })
})

test('a stopped measurement is a map of all layers that a plan is made from, and stays one when it is stopped again sooner', async () => {
  const out = path.join(folder, 'stopped.json')
  async function stopAfter(cells: number): Promise<Sensitivity> {
    const stop = new AbortController()
    let seen = 0
    const report = ({ type }: { type: string }): void => { if (type === 'cell' && ++seen > cells) stop.abort() }
    await expect(engine.measure({ model, data: path.join(folder, 'data.txt'), metric: 'layer-output', rounder: 'search', target: 'gguf', samples: 4, length: 24, out }, { signal: stop.signal, report })).rejects.toThrow()
    return JSON.parse(await readFile(out, 'utf8')) as Sensitivity
  }
  const whole = maps.get('gguf')
  const isMeasured = ({ options }: Sensitivity['layers'][number]): boolean => Object.keys(options).length > 0
  const cells = whole?.layers.slice(0, 4).reduce((sum, { options }) => sum + Object.keys(options).length, 0) ?? 0
  const partial = await stopAfter(cells)
  expect(partial.layers.map(({ name }) => name)).toEqual(whole?.layers.map(({ name }) => name))
  const count = partial.layers.filter(isMeasured).length
  expect(count).toBeGreaterThan(1)
  expect(count).toBeLessThan(partial.layers.length)
  const { recipe, warnings } = await plan({ measured: partial })
  expect(recipe.choice.map(({ name }) => name)).toEqual(partial.layers.map(({ name }) => name))
  expect(warnings.join()).toMatch(/The measurement is unfinished/)
  expect((await stopAfter(2)).layers.filter(isMeasured)).toHaveLength(count)
})

test('the exponent allocator carries its candidates out', async () => {
  const exact = await plan({ budget: { kind: 'bits', value: 30 } })
  const { recipe, measured } = await plan({ allocator: 'exponent', budget: { kind: 'bytes', value: exact.recipe.predicted.sizeBytes } })
  expect(recipe.predicted.sizeBytes).toBeLessThanOrEqual(exact.recipe.predicted.sizeBytes)
  expect(measured).toMatchObject({ name: 'kl' })
})

test('milliseconds are measured for onnx, and kept in the folder for caches; other targets say that they are not', async () => {
  vi.stubEnv('XDG_CACHE_HOME', path.join(folder, 'cache'))
  const { recipe } = await plan({ target: 'onnx', limits: { ms: 1000 } })
  expect(recipe.choice.length).toBeGreaterThan(0)
  if (process.platform === 'linux') expect(await readdir(path.join(folder, 'cache', 'halftone'))).toEqual(['latencies.json'])
  await expect(plan({ target: 'onnx', limits: { ms: 1e-9 } })).rejects.toMatchObject({ code: 'budget-impossible', message: expect.stringContaining('the least possible is') as string })
  vi.unstubAllEnvs()
  await expect(plan({ limits: { ms: 1 } })).rejects.toMatchObject({ code: 'bad-request' })
})

test('the source is not touched', async () => {
  const opened = await openDecoder(model, silent)
  const hash = await opened.checkpoint.sha256()
  await opened.close()
  expect(hash).toBe(maps.get('gguf')?.model.sha256)
})
