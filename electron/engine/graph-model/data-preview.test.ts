import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import { createEngine } from '../engine.ts'
import { createBuilder } from '../graph/builder.ts'
import { encodeModel } from '../graph/encode.ts'
import type { Graph } from '../graph/graph.ts'
import { noise, npyBytes, npzBytes, smallCnn, smallEncoder } from './testing.ts'

const engine = createEngine()
let folder: string
let cnn: string
let pictures: string

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-preview-'))
  cnn = path.join(folder, 'cnn.onnx')
  pictures = path.join(folder, 'pictures')
  await writeFile(cnn, encodeModel(smallCnn()))
  await mkdir(pictures)
  for (const [name, background] of [['a.png', '#000'], ['b.png', '#f00'], ['c.png', '#fff']] as const) {
    await sharp({ create: { width: 30, height: 20, channels: 3, background } }).png().toFile(path.join(pictures, name))
  }
})
afterAll(async () => {
  await engine.close()
  await rm(folder, { recursive: true, force: true })
})

describe('what a graph takes', () => {
  const taken = async (name: string, graph: Graph): Promise<unknown> => {
    const file = path.join(folder, name)
    await writeFile(file, encodeModel(graph))
    return (await engine.inspect({ model: file }, silent)).graph
  }
  const picture = (type: 'float32' | 'int64', shape: readonly (number | string)[]): Graph => {
    const b = createBuilder()
    b.output(b.one('Identity', [b.input('x', type, shape)]), type, null)
    return b.build('picture')
  }

  it('pictures of a size of its own or of any, tokens, or arrays alone', async () => {
    expect(await taken('first.onnx', picture('float32', ['n', 3, 48, 192]))).toEqual({ inputs: [{ name: 'x', text: 'float32 [n, 3, 48, 192]' }], pictures: 'fixed', takesTokens: false, metric: 'fisher' })
    expect(await taken('last.onnx', picture('float32', ['n', 'h', 'w', 1]))).toMatchObject({ pictures: 'any size' })
    expect(await taken('four.onnx', picture('float32', ['n', 4, 48, 192]))).toMatchObject({ pictures: null, takesTokens: false })
    expect(await taken('whole.onnx', picture('int64', ['n', 3, 48, 192]))).toMatchObject({ pictures: null })
    expect(await taken('tokens.onnx', smallEncoder())).toMatchObject({ pictures: null, takesTokens: true })
  })
})

describe('samples of a graph are looked at', () => {
  it('pictures as bytes, as halves, and as many at a time as the model takes', async () => {
    const taking = async (type: 'uint8' | 'float16', shape: readonly (number | string)[]): Promise<string> => {
      const b = createBuilder()
      b.output(b.one('Identity', [b.input('x', type, shape)]), type, null)
      const file = path.join(folder, `${type}.onnx`)
      await writeFile(file, encodeModel(b.build('picture')))
      return file
    }
    const bytes = await taking('uint8', [1, 4, 5, 3])
    const seen = await engine.previewData({ model: bytes, data: pictures }, silent)
    expect(seen).toMatchObject({ rows: 3, graph: { inputs: [{ type: 'uint8', shape: [1, 4, 5, 3], least: 0, mean: expect.closeTo(255 * (4 / 9), 6) as number, most: 255 }], notes: [] } })
    await expect(engine.previewData({ model: bytes, data: pictures, graph: { image: { mean: [0.5] } } }, silent)).rejects.toThrow(/--mean, --std: found the input 'x' of bytes/)
    const pairs = await engine.previewData({ model: await taking('float16', [2, 3, 4, 5]), data: pictures }, silent)
    expect(pairs).toMatchObject({ rows: 1, graph: { inputs: [{ type: 'float16', shape: [2, 3, 4, 5], least: 0, mean: expect.closeTo(1 / 6, 3) as number, most: 1 }] } })
    expect(pairs.graph?.pictures).toHaveLength(1)
    await expect(engine.previewData({ model: await taking('float16', [4, 3, 4, 5]), data: pictures }, silent)).rejects.toThrow(/found 3 images, expected at least 4: the model takes that many at a time/)
  })

  it('an array of all of an input is given with every sample, be its first axis one, two or free', async () => {
    const b = createBuilder()
    const x = b.input('x', 'float32', ['n', 6])
    const scaled = b.one('Mul', [b.one('Mul', [x, b.input('scale', 'float32', [1])]), b.input('free', 'float32', ['m', 6])])
    b.output(b.one('Add', [scaled, b.input('state', 'float32', [2, 1, 6])]), 'float32', null)
    const model = path.join(folder, 'whole-inputs.onnx')
    await writeFile(model, encodeModel(b.build('whole inputs')))
    const data = path.join(folder, 'whole.npz')
    const floats = (...dims: number[]): Uint8Array => npyBytes(dims, noise(dims.reduce((count, size) => count * size, 1), 5))
    await writeFile(data, npzBytes({ x: floats(9, 6), scale: floats(1), free: floats(1, 6), state: floats(2, 1, 6) }))
    const { rows, graph } = await engine.previewData({ model, data }, silent)
    expect(rows).toBe(9)
    expect(graph?.inputs.map(({ name, shape }) => [name, shape])).toEqual([['x', [1, 6]], ['scale', [1]], ['free', [1, 6]], ['state', [2, 1, 6]]])
    // Of as many entries as samples each sample has its own.
    await writeFile(data, npzBytes({ x: floats(2, 6), scale: floats(1), free: floats(2, 6), state: floats(2, 1, 6) }))
    expect((await engine.previewData({ model, data }, silent)).graph?.inputs.map(({ shape }) => shape)).toEqual([[1, 6], [1], [1, 6], [2, 1, 6]])
  })

  it('pictures, as the settings make them', async () => {
    const { rows, kind, graph } = await engine.previewData({ model: cnn, data: pictures, graph: { image: { mean: [0.5], std: [0.25] } } }, silent)
    expect({ rows, kind }).toEqual({ rows: 3, kind: 'images' })
    expect(graph?.inputs).toEqual([{ name: 'image', type: 'float32', shape: [1, 3, 12, 12], least: -2, mean: expect.closeTo(-2 + 4 * (4 / 9), 6) as number, most: 2 }])
    expect(graph?.notes).toEqual([])
    const [, red = ''] = graph?.pictures ?? []
    expect(red.startsWith('data:image/png;base64,')).toBe(true)
    const { data, info } = await sharp(Buffer.from(red.slice(red.indexOf(',') + 1), 'base64')).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height, ...data.subarray(0, 3)]).toEqual([128, 128, 255, 0, 0])
  })

  it('says when nothing tells how pixels are scaled', async () => {
    const { graph } = await engine.previewData({ model: cnn, data: pictures }, silent)
    expect(graph?.notes.join()).toMatch(/divided by 255/)
    expect(graph?.inputs[0]?.most).toBe(1)
  })

  it('arrays', async () => {
    const file = path.join(folder, 'images.npy')
    await writeFile(file, npyBytes([5, 3, 12, 12], noise(5 * 432, 1)))
    const found = await engine.previewData({ model: cnn, data: file }, silent)
    expect(found).toMatchObject({ rows: 5, kind: 'npy', graph: { isLabelled: false } })
    expect(found.graph?.pictures).toHaveLength(5)
  })

  it('token ids', async () => {
    const model = path.join(folder, 'encoder.onnx')
    const file = path.join(folder, 'ids.jsonl')
    await writeFile(model, encodeModel(smallEncoder()))
    await writeFile(file, '{"input_ids":[1,2,3],"label":4}\n{"input_ids":[5]}\n')
    const { rows, kind, graph } = await engine.previewData({ model, data: file }, silent)
    expect({ rows, kind, isLabelled: graph?.isLabelled, pictures: graph?.pictures }).toEqual({ rows: 2, kind: 'jsonl', isLabelled: true, pictures: [] })
    expect(graph?.inputs).toEqual([{ name: 'input_ids', type: 'int64', shape: [1, 3], least: 1, mean: 11 / 4, most: 5 }])
  })

  it('refuses what the graph does not take', async () => {
    const file = path.join(folder, 'wrong.npy')
    await writeFile(file, npyBytes([5, 3, 8, 8], noise(5 * 192, 1)))
    await expect(engine.previewData({ model: cnn, data: file }, silent)).rejects.toMatchObject({ code: 'bad-data', message: expect.stringContaining("'image'") as string })
  })
})

describe('without data', () => {
  it('a graph is measured by its weights, planned and written', async () => {
    const measured = await engine.measure({ model: cnn, metric: 'sqnr', rounder: 'search', out: path.join(folder, 'free.json') }, silent)
    expect(measured).toMatchObject({ complete: true, data: { path: '', sha256: '' } })
    expect(measured.layers.filter(({ options }) => !Object.values(options).every(({ value }) => value > 0))).toEqual([])
    expect(measured.layers.flatMap(({ options }) => Object.keys(options)).length).toBeGreaterThan(measured.layers.length)
    const { recipe } = await engine.plan({ model: cnn, measured, target: 'onnx', budget: { kind: 'ratio', value: 0.5 } }, silent)
    const out = path.join(folder, 'free')
    const report = await engine.run({ recipe, folder: path.join(out, 'job'), out }, silent)
    expect(report.sizeBytes).toBe(recipe.predicted.sizeBytes)
    expect(report).toMatchObject({ samples: 0, outputs: [] })
  })

  it('other metrics and GPTQ are refused, with what can be had', async () => {
    await expect(engine.measure({ model: cnn, metric: 'layer-output', rounder: 'search', out: path.join(folder, 'no.json') }, silent)).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('without data only the metric sqnr') as string })
  })
})

describe('a cell of a graph', () => {
  it('is looked at with its rows filled up to whole groups', async () => {
    const view = await engine.cell({ model: cnn, layer: 'classes', option: 'int4-g32' }, silent) // rows of 100 weights
    expect(view).toMatchObject({ rows: 10, allRows: 10, group: 32 })
    expect(view.relativeError).toBeGreaterThan(0.02)
    expect(view.relativeError).toBeLessThan(0.2)
    expect(view.levels.length).toBeLessThanOrEqual(16)
    expect(view.weights.counts.reduce((sum, count) => sum + count, 0)).toBe(10 * 100)
  })
})
