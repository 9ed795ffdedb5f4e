import { readdirSync } from 'node:fs'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../contract/errors.ts'
import { silent, type JobEvent } from '../../contract/events.ts'
import type { TrainableSet } from '../../contract/training.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { openDecoder } from '../session/model.ts'
import { baseOfCheckpoint } from './base/base.ts'
import { openGoldens, type Goldens } from './goldens/goldens.ts'
import { windowKey } from './targets/targets.ts'
import { trainAdapters, type TrainTask } from './train-adapters.ts'
import type { Trained } from './trained.ts'
import type { TrainingWindow } from './window.ts'

/** Rounding noise of a gradient whose terms cancel exactly in theory. */
const NOISE = 1e-6

function windowsOf(count: number, seed: number): TrainingWindow[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, () => ({ tokens: Int32Array.from({ length: 12 }, () => Math.floor(random() * 96)) }))
}

/** Files of a run by the memory it may take: weights stay before inputs do. Those of the two blocks take 4464 bytes each, the inputs 6144. */
const parked: Readonly<Record<number, readonly string[]>> = { 0: ['park', 'weights.tmp'], 5000: ['park', 'weights.tmp'], 10_000: ['park'], Infinity: [] }

/** Everything a run gives, as bytes and numbers that can be compared. */
function contents({ adapter, blobs, norms, points }: Trained): unknown {
  return { adapter: [...adapter], blobs: [...blobs], norms: [...norms], points }
}

describe('trainAdapters', () => {
  let goldens: Goldens
  let root: string
  let folder: string

  beforeAll(async () => {
    goldens = await openGoldens()
    root = await mkdtemp(path.join(tmpdir(), 'halftone-train-'))
  })
  beforeEach(async () => {
    folder = await mkdtemp(path.join(root, 'run-'))
  })
  afterAll(async () => {
    await goldens.model.close()
    await rm(root, { recursive: true })
  })

  function task(options: TrainTask['options'], more: Partial<TrainTask> = {}): TrainTask {
    return { base: goldens.base, teacher: goldens.model, windows: windowsOf(5, 1), heldOut: [], folder, threads: 1, options: { rank: 2, batch: 3, microBatch: 2, checkpointEvery: 2, learningRate: 0.01, ...options }, ...more }
  }

  it('learns: the loss on held-out windows falls, and the values given are the best ones', async () => {
    const trained = await trainAdapters(task({ objective: 'lrec', steps: 30, evaluateEvery: 5, trainable: ['adapters', 'scales', 'norms'] }, { heldOut: windowsOf(3, 1) }), silent)
    expect(trained.heldOut?.after).toBeLessThan(0.7 * (trained.heldOut?.before ?? 0))
    expect(trained).toMatchObject({ steps: 30, updates: 30, stopped: 'steps', skipped: [] })
    expect(trained.blobs.size).toBe(14)
    expect([...trained.norms.keys()]).toEqual(['blocks.0.attention_norm', 'blocks.0.mlp_norm', 'blocks.1.attention_norm', 'blocks.1.mlp_norm', 'final_norm'])
    const series = new Set(trained.points.map((point) => point.series))
    expect([...series]).toEqual(['held-out loss', 'loss', 'ce', 'kl', 'gradient norm'])
    const again = await trainAdapters(task({ objective: 'lrec', steps: 30, evaluateEvery: 5, trainable: ['adapters', 'scales', 'norms'] }, { heldOut: windowsOf(3, 1) }), silent)
    expect(contents(again)).toEqual(contents(trained)) // the finished run, read back
  })

  it('moves codes at no bytes: the loss falls further than scales and norms take it', async () => {
    const run = async (trainable: readonly TrainableSet[]): Promise<Trained> => {
      folder = await mkdtemp(path.join(root, 'run-'))
      return trainAdapters(task({ objective: 'lrec', steps: 30, evaluateEvery: 5, trainable: [...trainable], codeRate: 0.05 }, { adapter: new Map(), source: goldens.model.readWeight, heldOut: windowsOf(3, 1) }), silent)
    }
    const [plain, coded] = [await run(['scales', 'norms']), await run(['codes', 'scales', 'norms'])]
    expect(coded.heldOut?.before).toBe(plain.heldOut?.before)
    expect(coded.heldOut?.after).toBeLessThan(plain.heldOut?.after ?? 0)
    for (const [layer, bytes] of coded.blobs) expect(bytes).toHaveLength((await goldens.base.bytes(layer)).length)
  })

  it('goes on after a stop to the same bytes', async () => {
    const options: TrainTask['options'] = { objective: 'rilq', steps: 7, evaluateEvery: 3, trainable: ['adapters', 'scales', 'codes'], codeRate: 0.1 }
    const more = { heldOut: windowsOf(2, 9) }
    const whole = await trainAdapters(task(options, more), silent)
    const checkpoint = await readFile(path.join(folder, 'checkpoint.safetensors'))
    folder = await mkdtemp(path.join(root, 'run-'))
    const stop = new AbortController()
    const report = (event: JobEvent): void => {
      if (event.type === 'point' && event.series === 'loss' && event.step === 5) stop.abort(new AppError('cancelled', 'Cancelled'))
    }
    await expect(trainAdapters(task(options, more), { signal: stop.signal, report })).rejects.toMatchObject({ code: 'cancelled' })
    const seen: number[] = []
    const resumed = await trainAdapters(task(options, more), { ...silent, report: (event) => event.type === 'point' && event.series === 'loss' && seen.push(event.step) })
    expect(seen).toEqual([5, 6, 7]) // begun again after the checkpoint at step 4
    expect(contents(resumed)).toEqual(contents(whole))
    expect(await readFile(path.join(folder, 'checkpoint.safetensors'))).toEqual(checkpoint)
  })

  it.each([0, 5000, 10_000, Infinity])('gives the same bytes with %d bytes of memory for weights and inputs of blocks', async (memoryBytes) => {
    const options: TrainTask['options'] = { objective: 'lrec', steps: 3, trainable: ['adapters', 'scales', 'norms', 'codes'], codeRate: 0.1 }
    const more = { heldOut: windowsOf(2, 9), source: goldens.model.readWeight }
    const files: string[] = []
    const report = (event: JobEvent): void => {
      if (event.type === 'point' && event.step === 1) files.push(...readdirSync(folder).filter((name) => name.endsWith('.tmp')).map((name) => name.replace(/-.*/, '')))
    }
    const limited = await trainAdapters(task(options, { ...more, memoryBytes }), { ...silent, report })
    expect([...new Set(files)].sort()).toEqual(parked[memoryBytes])
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([])
    folder = await mkdtemp(path.join(root, 'run-'))
    expect(contents(limited)).toEqual(contents(await trainAdapters(task(options, more), silent)))
  })

  it('goes on with parked weights after a stop, over the file that was left, to the same bytes', async () => {
    const options: TrainTask['options'] = { objective: 'ce', steps: 4, checkpointEvery: 1, trainable: ['adapters', 'scales'] }
    const whole = await trainAdapters(task(options), silent)
    folder = await mkdtemp(path.join(root, 'run-'))
    const stop = new AbortController()
    const report = (event: JobEvent): void => {
      if (event.type === 'point' && event.step === 3) stop.abort(new AppError('cancelled', 'Cancelled'))
    }
    await expect(trainAdapters(task(options, { memoryBytes: 0 }), { signal: stop.signal, report })).rejects.toMatchObject({ code: 'cancelled' })
    await writeFile(path.join(folder, 'weights.tmp'), new Uint8Array(1 << 16).fill(7))
    expect(contents(await trainAdapters(task(options, { memoryBytes: 0 }), silent))).toEqual(contents(whole))
  })

  it('stops early when held-out windows have not improved for a while', async () => {
    const trained = await trainAdapters(task({ objective: 'ce', steps: 200, evaluateEvery: 1, patience: 3, learningRate: 0.3 }, { heldOut: windowsOf(3, 2) }), silent)
    expect(trained.stopped).toBe('early')
    expect(trained.steps).toBe((trained.heldOut?.step ?? NaN) + 3)
  })

  it('has loss 0 and no gradient where the student is the teacher', async () => {
    const trained = await trainAdapters(task({ objective: 'lrec', weights: { ce: 0 }, steps: 1 }, { base: baseOfCheckpoint(goldens.model) }), silent)
    const values = Object.fromEntries(trained.points.map(({ series, value }) => [series, value]))
    expect(Math.abs(values.kl ?? NaN)).toBeLessThan(NOISE)
    expect(values['gradient norm']).toBeLessThan(NOISE)
    for (const objective of ['block', 'kd-topk'] as const) {
      folder = await mkdtemp(path.join(root, 'run-'))
      const { points } = await trainAdapters(task({ objective, weights: { ce: 0 }, steps: 1 }, { base: baseOfCheckpoint(goldens.model) }), silent)
      const own = Object.fromEntries(points.map(({ series, value }) => [series, value]))
      expect(Math.abs(own.loss ?? NaN)).toBeLessThan(NOISE)
      expect(own['gradient norm']).toBeLessThan(NOISE)
    }
  })

  /** Puts NaN into the teacher's targets of some windows. */
  async function spoil(windows: readonly TrainingWindow[]): Promise<void> {
    const targets = path.join(folder, 'targets')
    const own = path.join(targets, (await readdir(targets))[0] ?? '')
    for (const window of windows) {
      const file = path.join(own, `${windowKey(window)}.block1`)
      await writeFile(file, new Float32Array((await readFile(file)).length / 4).fill(NaN))
    }
  }

  it('leaves out a bad batch, names and counts it', async () => {
    const begun = task({ objective: 'lrec', steps: 4, batch: 1, microBatch: 1, checkpointEvery: 1 })
    const stop = new AbortController()
    await expect(trainAdapters(begun, { signal: stop.signal, report: (event) => event.type === 'stage' && event.stage === 'train' && stop.abort(new AppError('cancelled', 'Cancelled')) })).rejects.toMatchObject({ code: 'cancelled' })
    await spoil([begun.windows[3] ?? { tokens: new Int32Array() }])
    const warnings: string[] = []
    const trained = await trainAdapters(task({ objective: 'lrec', steps: 5, batch: 1, microBatch: 1, checkpointEvery: 1 }), { ...silent, report: (event) => event.type === 'log' && warnings.push(event.text) })
    expect(trained).toMatchObject({ steps: 5, updates: 4 })
    expect(trained.skipped).toMatchObject([{ windows: [3], reason: 'loss NaN' }])
    expect(warnings[0]).toContain('windows 3 give loss NaN')
    for (const { a, b } of trained.adapter.values()) expect([...a, ...b].every(Number.isFinite)).toBe(true)
  })

  it('ends where nothing but bad batches come, and keeps the last checkpoint', async () => {
    const options = { objective: 'lrec', batch: 1, microBatch: 1, checkpointEvery: 5 } as const
    await trainAdapters(task({ ...options, steps: 1 }), silent)
    await spoil(windowsOf(5, 1))
    await rm(path.join(folder, 'checkpoint.safetensors'))
    await expect(trainAdapters(task({ ...options, steps: 40 }), silent)).rejects.toMatchObject({ code: 'training-diverged', message: expect.stringContaining('10 batches in a row') as string })
    expect(await readdir(folder)).toContain('checkpoint.safetensors')
  })

  it('refuses what does not fit', async () => {
    const options = { objective: 'lrec', steps: 2 } as const
    await expect(trainAdapters(task(options, { windows: [] }), silent)).rejects.toMatchObject({ code: 'bad-data' })
    await expect(trainAdapters(task(options, { windows: [{ tokens: new Int32Array(65) }] }), silent)).rejects.toMatchObject({ code: 'bad-data', message: expect.stringContaining('65 tokens, expected at most 64') as string })
    await expect(trainAdapters(task(options, { windows: [{ tokens: Int32Array.of(1, 96) }] }), silent)).rejects.toMatchObject({ code: 'bad-tokenizer' })
    await expect(trainAdapters(task(options, { teacher: undefined }), silent)).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('no reference model') as string })
    await expect(trainAdapters(task({ ...options, rank: 33 }), silent)).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('rank 33: expected at most 32') as string })
    await expect(trainAdapters(task(options, { diskBytes: 100 }), silent)).rejects.toMatchObject({ code: 'disk-full' })
    await expect(trainAdapters(task({ ...options, trainable: ['scales'] }, { base: baseOfCheckpoint(goldens.model) }), silent)).rejects.toMatchObject({ code: 'bad-request', message: expect.stringContaining('nothing to train') as string })
    const [[name, branch] = ['', undefined]] = [...goldens.adapter]
    if (branch === undefined) throw new Error('no branch')
    await expect(trainAdapters(task(options, { adapter: new Map([[name, { ...branch, a: branch.a.slice(1) }]]) }), silent)).rejects.toMatchObject({ code: 'adapter-mismatch' })
  })

  it('refuses to go on with a run of other data or settings', async () => {
    await trainAdapters(task({ objective: 'ce', steps: 2 }), silent)
    await expect(trainAdapters(task({ objective: 'ce', steps: 3 }), silent)).rejects.toMatchObject({ code: 'file-exists', message: expect.stringContaining('another settings') as string })
    await expect(trainAdapters(task({ objective: 'ce', steps: 2 }, { windows: windowsOf(5, 4) }), silent)).rejects.toMatchObject({ code: 'file-exists', message: expect.stringContaining('another training data') as string })
    const copy = path.join(root, 'changed')
    await cp(goldens.model.path, copy, { recursive: true })
    const weights = await readFile(path.join(copy, 'model.safetensors'))
    weights[weights.length - 4] ^= 1
    await writeFile(path.join(copy, 'model.safetensors'), weights)
    const changed = await openDecoder(copy, silent)
    await expect(trainAdapters(task({ objective: 'ce', steps: 2 }, { teacher: changed }), silent)).rejects.toMatchObject({ code: 'file-exists', message: expect.stringContaining('another reference model') as string })
    await changed.close()
  })
})
