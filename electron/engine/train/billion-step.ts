/**
 * @file Two LoRA steps on a packed model of TinyLlama's shape (1.1 billion random weights), and the peak memory of the process: what
 * train.bench.ts runs on its own. Weights and inputs of blocks wait on disk; the time is that of the steps, without what comes before them. `node billion-step.ts int2-g64 [blocks]`; the checkpoint is written to a temporary folder first.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { billion, writeSyntheticModel } from '../../../e2e/synthetic-model.ts'
import { kernels } from '../../../kernels/kernels.ts'
import { silent, type JobEvent } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import { readIfThere, writeWhole } from '../job/files.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { baseOfBlobs, type Base } from './base/base.ts'
import { measureSpeed } from './measure-speed.ts'
import { predictTraining } from './predict.ts'
import { trainAdapters } from './train-adapters.ts'
import { newAdapter } from './trainables/adapters.ts'

const rank = 16
const tokens = 512
const steps = 2

/** Every layer in `codec`, from files: nothing of it is in memory before the program reads it. */
async function packed(model: DecoderModel, codec: CodecName, folder: string): Promise<Base> {
  const file = (layer: string): string => path.join(folder, `${encodeURIComponent(layer)}.bin`)
  for (const { name, shape: [rows, cols] } of model.layers) {
    const bytes = new Uint8Array(kernels().codecBytes(codec, { rows, cols }))
    await kernels().encode(codec, { rows, cols }, await model.readWeight(name), null, 'nearest', bytes)
    await writeWhole(file(name), bytes)
  }
  return baseOfBlobs(model, new Map(model.layers.map(({ name }) => [name, codec])), async (layer) => (await readIfThere(file(layer))) ?? new Uint8Array())
}

const [, , name = 'int2-g64', blocks = String(billion.blocks), prepared] = process.argv
const codec = name as CodecName
if (prepared === undefined) {
  // Packing leaves its own peak behind: the steps are taken by a second process.
  const { spawnSync } = await import('node:child_process')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-billion-'))
  await writeSyntheticModel(path.join(folder, 'model'), { ...billion, blocks: Number(blocks) }, path.resolve(import.meta.dirname, '../../../assets/sample-model'))
  const model = await openDecoder(path.join(folder, 'model'), silent)
  await packed(model, codec, folder)
  await model.close()
  const { stdout } = spawnSync(process.execPath, [import.meta.filename, codec, blocks, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.stdout.write(stdout)
  await rm(folder, { recursive: true })
} else {
  const model = await openDecoder(path.join(prepared, 'model'), silent)
  const base = baseOfBlobs(model, new Map(model.layers.map((layer) => [layer.name, codec])), async (layer) => (await readIfThere(path.join(prepared, `${encodeURIComponent(layer)}.bin`))) ?? new Uint8Array())
  const trained = rank * model.layers.filter(({ block }) => block !== null).reduce((sum, { shape: [rows, cols] }) => sum + rows + cols, 0)
  const first = new Set(model.layers.filter(({ block }) => block === 0).map(({ name: layer }) => layer))
  const speed = await measureSpeed(base, { adapter: newAdapter(model, rank, { layers: first }), microBatch: 1, length: tokens }, silent.signal)
  const predicted = predictTraining(base, { steps, batch: 1, microBatch: 1, length: tokens, meanLength: tokens, judged: 1, trained, isJudged: false, hasTeacher: false }, speed)
  const windows = Array.from({ length: steps }, (_, window) => ({ tokens: Int32Array.from({ length: tokens }, (__, at) => ((at + window) * 37) % 4096) }))
  let begun = NaN
  const report = (event: JobEvent): void => {
    if (event.type === 'stage') begun = performance.now()
  }
  const { points, skipped } = await trainAdapters({ base, windows, heldOut: [], folder: path.join(prepared, 'run'), memoryBytes: 1, options: { objective: 'ce', rank, steps, batch: 1, checkpointEvery: steps } }, { ...silent, report })
  const elapsedMs = performance.now() - begun
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024
  process.stdout.write(`${JSON.stringify({ name: `two steps, ${blocks} blocks of width ${model.spec.hidden}, ${codec}`, peakMemoryBytes, predictedPeakBytes: predicted.peakMemoryBytes - predicted.parkableBytes, elapsedMs, predictedMs: predicted.elapsedMs, losses: points.filter(({ series }) => series === 'loss').map(({ value }) => value), skipped: skipped.length })}\n`)
  await model.close()
}
