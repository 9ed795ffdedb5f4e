import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataPreview, ModelSummary } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import type { Context } from '../contract/events.ts'
import { createDesk, type Desk } from './desk.ts'
import type { EngineHost } from './engine-host.ts'
import { createProjects } from './projects.ts'

let folder: string
/** The file the model cannot be opened without. */
let missing: string | null = null
let asked: { method: string; input: unknown }[]

const summary = (format: 'onnx' | 'safetensors') => ModelSummary.parse({
  path: 'm', name: 'm', format, ...(format === 'onnx' && { graph: { inputs: [], pictures: null, takesTokens: false, metric: 'fisher' } }), architecture: 'a', parameters: 1000, sizeBytes: 5001, blocks: 1, contextLength: null, vocabulary: null, tensors: [], warnings: [], layers: [],
})

function open(format: 'onnx' | 'safetensors', sha256 = (data: string) => data): Desk {
  const answers: Record<string, (input: { data: string }) => unknown> = {
    inspect: () => {
      if (missing !== null && !existsSync(missing)) throw new AppError('file-missing', 'no weights', { details: { missing } })
      return summary(format)
    },
    previewData: ({ data }) => DataPreview.parse({ path: data, kind: 'npz', sha256: sha256(data), rows: 1, tokens: 0, windows: 1, duplicates: 0, bad: [], samples: [], lengths: [] }),
  }
  const call = (method: string, input: { data: string }, context?: Context): Promise<unknown> => {
    asked.push({ method, input })
    if (input.data === '/endless') return new Promise((_resolve, reject) => { context?.signal.addEventListener('abort', () => { reject(context.signal.reason as Error) }) })
    return new Promise((resolve) => { resolve(answers[method]?.(input)) })
  }
  return createDesk({ projects: createProjects(folder), engine: { call } as unknown as EngineHost, onProject: () => undefined, onSensitivity: () => undefined })
}

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-desk-'))
  asked = []
  missing = null
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a graph begins as ONNX in half its bytes, and keeps what was chosen then', async () => {
  const desk = open('onnx')
  const { project } = await desk.openModel('/m/net.onnx')
  expect(project.draft).toMatchObject({ target: 'onnx', budget: { kind: 'bytes', value: 2501 } })
  expect(project.measure.metric).toBe('fisher')
  await desk.update({ draft: { ...project.draft, budget: { kind: 'bits', value: 6 } }, measure: { ...project.measure, metric: 'kl' } })
  const { project: again } = await open('onnx').openModel('/m/net.onnx')
  expect(again.draft.budget).toEqual({ kind: 'bits', value: 6 })
  expect(again.measure.metric).toBe('kl')
  expect((await open('safetensors').openModel('/m/llm')).project.draft).toMatchObject({ target: 'gguf', budget: { kind: 'bits', value: 4.5 } })
})

test('pictures are looked at again when their settings change', async () => {
  const desk = open('onnx')
  const { project } = await desk.openModel('/m/net.onnx')
  await desk.setData('/pictures')
  await desk.update({ measure: { ...project.measure, image: { mean: [0.5] } } })
  expect(asked.filter(({ method }) => method === 'previewData').map(({ input }) => input)).toEqual([
    { model: '/m/net.onnx', data: '/pictures', length: 512 }, { model: '/m/net.onnx', data: '/pictures', length: 512, graph: { image: { mean: [0.5] } } },
  ])
  await desk.update({ measure: { ...project.measure, image: { mean: [0.5] }, samples: 7 } })
  expect(asked.filter(({ method }) => method === 'previewData')).toHaveLength(2)
})

test('samples that were calibrated with do not judge: graphs by their files, without reading rows', async () => {
  const desk = open('onnx', () => 'same')
  await desk.openModel('/m/net.onnx')
  await desk.setData('/a.npz')
  await expect(desk.setHeldOut('/b.npz')).rejects.toMatchObject({ code: 'bad-data' })
  expect(asked.some(({ method }) => method === 'overlap')).toBe(false)
})

test('a model that misses a file is opened with the one that is located for it, once', async () => {
  const [model, found] = [path.join(folder, 'net.onnx'), path.join(folder, 'found')]
  await writeFile(model, '')
  await writeFile(found, 'weights')
  missing = path.join(folder, 'net.data')
  const desk = open('onnx')
  await expect(desk.locate(found)).rejects.toMatchObject({ code: 'bad-request' })
  await expect(desk.openModel(model)).rejects.toMatchObject({ code: 'file-missing' })
  expect((await desk.locate(found)).project.model).toBe(model)
  await expect(desk.locate(found)).rejects.toMatchObject({ code: 'bad-request' })
})

test('reading data is let go of, and what was chosen before stays', async () => {
  const desk = open('safetensors')
  await desk.openModel('/m/llm')
  await desk.setData('/a.txt')
  const endless = desk.setData('/endless')
  desk.stopReading()
  await expect(endless).rejects.toMatchObject({ code: 'cancelled' })
  expect(desk.need().project.data).toMatchObject({ path: '/a.txt' })
  await desk.setData('/b.txt') // what was stopped does not stop what comes after
  expect(desk.need().project.data).toMatchObject({ path: '/b.txt' })
})
