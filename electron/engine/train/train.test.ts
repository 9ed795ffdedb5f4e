import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../contract/errors.ts'
import { silent, type JobEvent } from '../../contract/events.ts'
import type { TrainInput } from '../../contract/training.ts'
import { readAdapter } from '../export/adapter-read.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { golden, quantized } from './testing.ts'
import { train } from './train.ts'

const letters = ['<s>', '</s>', ...Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at))]
const tokenizer = {
  added_tokens: [{ id: 0, content: '<s>', special: true }, { id: 1, content: '</s>', special: true }],
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true }, decoder: { type: 'ByteLevel' },
  model: { type: 'BPE', vocab: Object.fromEntries(letters.map((letter, id) => [letter, id])), merges: [] },
}

let folder: string
let original: string
let compressed: string
let data: string
let model: DecoderModel

async function rows(name: string, values: readonly unknown[]): Promise<string> {
  const file = path.join(folder, name)
  await writeFile(file, values.map((value) => JSON.stringify(value)).join('\n'))
  return file
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-train-'))
  original = path.join(folder, 'original')
  compressed = path.join(folder, 'compressed')
  await cp(golden, original, { recursive: true })
  await writeFile(path.join(original, 'tokenizer.json'), JSON.stringify(tokenizer))
  await writeFile(path.join(original, 'tokenizer_config.json'), JSON.stringify({ bos_token: '<s>', eos_token: '</s>' }))
  data = await rows('data.jsonl', Array.from({ length: 20 }, (_, at) => ({ prompt: `${at}+1=`, completion: String(at + 1) })))
  model = await openDecoder(original, silent)
  await quantized(path.join(compressed, 'job'), model, 'none', 0)
})
afterAll(async () => {
  await model.close()
  await rm(folder, { recursive: true })
})

function input(out: string, more: Partial<TrainInput> = {}): TrainInput {
  return { model: compressed, data, out: path.join(folder, out), rank: 2, steps: 6, batch: 2, length: 16, heldOut: 0.2, samples: 1, sampleTokens: 3, learningRate: 0.05, ...more }
}

describe('train', () => {
  it('fine-tunes the output of compress: adapter in two formats, curve, samples, report', async () => {
    const said: string[] = []
    const report = await train(input('run'), { ...silent, report: (event) => event.type === 'log' && said.push(event.text) })
    expect(said.join('\n')).toMatch(/expected: 0\.\d+ GB of memory, about \d+ min for 6 steps of 2 windows/)
    expect(report.training).toMatchObject({ objective: 'ce', steps: 6, skipped: 0 })
    expect(report.training.heldOut?.after).toBeLessThan(report.training.heldOut?.before ?? 0)
    expect(report.data).toMatchObject({ rows: 20, examples: 20 })
    expect(report.samples).toMatchObject([{ prompt: expect.stringMatching(/^\d+\+1=$/) as string, expected: expect.stringMatching(/^\d+<\/s>$/) as string }])
    const [gguf, peft] = [await readAdapter(report.adapter?.gguf.path ?? '', model, silent), await readAdapter(report.adapter?.peft.path ?? '', model, silent)]
    expect([...gguf.keys()]).toHaveLength(14)
    expect(report.adapter?.parameters).toBe([...gguf.values()].reduce((sum, { a, b }) => sum + a.length + b.length, 0))
    for (const [layer, { a }] of gguf) expect([...a]).toEqual([...(peft.get(layer)?.a ?? [])])
    expect([...gguf.values()].some(({ b }) => b.some((value) => value !== 0))).toBe(true)
    expect(await readFile(report.curve.svg, 'utf8')).toMatch(/^<svg[\s\S]*<polyline[\s\S]*<\/svg>\n$/)
    const curve = JSON.parse(await readFile(report.curve.json, 'utf8')) as Record<string, [number, number][]>
    expect(curve.loss?.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6])
    const written = JSON.parse(await readFile(path.join(folder, 'run', 'report.json'), 'utf8')) as unknown
    expect(written).toEqual(JSON.parse(JSON.stringify(report)))
  })

  it('goes on after a stop to the same adapter; not with other data, and not without being asked', async () => {
    const stop = new AbortController()
    const report = (event: JobEvent): void => {
      if (event.type === 'point' && event.series === 'loss' && event.step === 3) stop.abort(new AppError('cancelled', 'Cancelled'))
    }
    const task = input('stopped')
    await expect(train(task, { signal: stop.signal, report })).rejects.toMatchObject({ code: 'cancelled' })
    const other = await rows('other.jsonl', Array.from({ length: 20 }, (_, at) => ({ prompt: `${at}-1=`, completion: String(at) })))
    await train({ ...task, resume: true }, silent)
    expect(await readFile(path.join(folder, 'stopped', 'adapter.gguf'))).toEqual(await readFile(path.join(folder, 'run', 'adapter.gguf')))
    await expect(train(task, silent)).rejects.toMatchObject({ code: 'file-exists', hint: expect.stringContaining('--resume') as string })
    await expect(train({ ...task, data: other, resume: true }, silent)).rejects.toMatchObject({ code: 'file-exists', message: expect.stringContaining('another training data') as string })
  })

  it('goes on from an adapter, and writes the model anew where scales and norms are trained', async () => {
    const report = await train(input('again', { adapter: path.join(folder, 'run', 'adapter'), trainable: ['adapters', 'scales', 'norms'], steps: 1 }), silent)
    expect(report.output?.path).toBe(path.join(folder, 'again', 'model.gguf'))
    expect(report.sizeBytes).toBe((report.output?.sizeBytes ?? 0) + (report.adapter?.gguf.sizeBytes ?? 0))
    const written = await openDecoder(report.output?.path ?? '', silent)
    expect([...(await written.readExtras(null)).final_norm ?? []]).not.toEqual([...(await model.readExtras(null)).final_norm ?? []])
    await written.close()
  })

  it('refuses what cannot be trained, by name', async () => {
    const refused = async (more: Partial<TrainInput>, expected: object): Promise<void> => { await expect(train(input('refused', more), silent)).rejects.toMatchObject(expected) }
    const matching = (text: RegExp): string => expect.stringMatching(text) as string
    await refused({ rank: 17 }, { code: 'bad-request', message: matching(/rank 17: expected at most 16/) })
    await refused({ data: await rows('empty.jsonl', [{ prompt: 'abcdefghijklmnopqrstuvw', completion: 'x' }]) }, { code: 'bad-data', message: matching(/no example that can be used/) })
    await refused({ objective: 'lrec', model: original, reference: undefined }, { code: 'bad-request', message: matching(/no reference model/) })
    await refused({ memoryBytes: 1e6 }, { code: 'bad-data', message: matching(/found 1 MB, expected at least \d+ MB/) })
    await refused({ objective: 'lrec', diskBytes: 10 }, { code: 'disk-full' })
    await refused({ heldOut: data }, { code: 'bad-data', message: matching(/also in/) })
    const narrow = path.join(folder, 'narrow')
    await cp(path.join(folder, 'run', 'adapter'), narrow, { recursive: true })
    const file = path.join(narrow, 'adapter_model.safetensors')
    await writeFile(file, Buffer.from((await readFile(file)).toString('latin1').replaceAll('layers.1.', 'layers.7.'), 'latin1'))
    await refused({ adapter: narrow }, { code: 'adapter-mismatch', message: matching(/does not have/) })
    await writeFile(path.join(original, 'notes.txt'), 'not of the model')
    const changed = path.join(folder, 'changed')
    await cp(compressed, changed, { recursive: true })
    const recipe = path.join(changed, 'job', 'recipe.json')
    await writeFile(recipe, (await readFile(recipe, 'utf8')).replace(/"sha256": "[0-9a-f]{8}/, '"sha256": "00000000'))
    await refused({ model: changed }, { code: 'bad-recipe', message: matching(/the model has changed/) })
  })
})
