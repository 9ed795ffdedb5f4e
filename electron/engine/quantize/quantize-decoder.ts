/**
 * @file Quantizes a decoder block by block, each layer's statistics taken from the blocks and layers already quantized, so that
 * later layers make up for earlier errors (GPTQ, "true sequential"). A layer with a rank is corrected at once, and later ones see
 * it corrected. Every finished tensor is a file of the job: a run that was killed goes on where it stopped and gives the same bytes.
 */
import { kernels, type Shape } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import { ggufTypes, type CodecName } from '../../contract/options.ts'
import { addGuided, tableStatistics, type Guidance } from '../calibrate/guidance.ts'
import { layersOfTap, taps, type BlockRunner, type BlockWeights, type Park, type Tap } from '../calibrate/runner.ts'
import { emptyStatistics, type Statistics } from '../calibrate/statistics.ts'
import { correctionInputs, type CorrectionInputs } from '../correct/inputs.ts'
import { readBranch, writeBranch } from '../correct/job-adapter.ts'
import { mergeBranch } from '../correct/merge.ts'
import { roundCorrected, type CorrectionTask } from '../correct/round-corrected.ts'
import type { Finished, Job } from '../job/job.ts'
import { beginStage, type Progress } from '../job/progress.ts'
import type { BlockLayer, Layer } from '../model.ts'
import type { DecoderModel } from '../session/model.ts'
import { learnedOf, type LearnBlock } from './learned/job-learned.ts'
import { lookUp, quantizeTable, roundingError } from './quantize-table.ts'
import { roundingStatistics, type Rounder, type RoundingStatistics } from './rounders/rounder.ts'

export interface QuantizeTask {
  readonly job: Job
  readonly layers: readonly Layer[]
  readonly runner: BlockRunner
  /** Calibration windows; empty for rounding without data. */
  readonly windows: readonly Int32Array[]
  readonly rounder: Rounder
  /** Weighs the statistics' tokens; missing where all count alike. */
  readonly guidance?: Guidance | undefined
  /** How layers with a rank are corrected; null where the recipe has no closed form. */
  readonly correction?: CorrectionTask | null
  /** Moves the codes of a block whose layers are all rounded; null for none. */
  readonly learn?: LearnBlock | null
  /** Rows of the embedding or of the head. */
  readonly readRows: DecoderModel['readRows']
  readonly park: (windows: number) => Park
}

/** Reads an option's name as a codec; refuses what no codec is called. */
export function codecOf(option: string): CodecName {
  const name = ggufTypes.find((type) => type === option) ?? option
  if (kernels().codecBlock(name as CodecName) === undefined) {
    throw new AppError('bad-recipe', `option "${option}": no such storage format`, { hint: 'Plan again: the names of options are those of "halftone plan".' })
  }
  return name as CodecName
}

const shapeOf = ({ shape: [rows, cols] }: Layer): Shape => ({ rows, cols })

/** The dense weights of a finished tensor. */
export async function readFinished(job: Job, layer: Layer, option: CodecName): Promise<Float32Array> {
  const dense = new Float32Array(layer.shape[0] * layer.shape[1])
  await kernels().decode(option, shapeOf(layer), await job.readTensor(layer.name), dense)
  return dense
}

/** What a layer is rounded by. */
interface LayerInputs {
  readonly rounding: RoundingStatistics | null
  readonly corrections: CorrectionInputs | null
}

const noInputs: LayerInputs = { rounding: null, corrections: null }

/** The codec of a layer and the rank of its correction. */
interface Chosen {
  readonly codec: CodecName
  readonly rank: number
}

/** Rounds and corrects one layer, writes its files, and gives Ŵ + BA back dense. */
async function correctLayer({ job, rounder, correction }: QuantizeTask, layer: Layer, { codec, rank }: Chosen, weights: Float32Array, { rounding, corrections }: LayerInputs): Promise<Float32Array> {
  if (!correction) throw new AppError('bad-recipe', `layer ${layer.name}: found rank ${rank}, expected none: the recipe says "${job.recipe.correction}" for correction`, { hint: 'Plan again with --correct eora.' })
  const corrected = await roundCorrected({ ...correction, layer: layer.name, codec, shape: shapeOf(layer), rank, weights, rounder, inputs: rounding, corrections, signal: job.context.signal })
  const record: Finished = { name: layer.name, option: codec, bytes: corrected.bytes.length, error: corrected.error }
  await writeBranch(job, corrected.branch)
  await job.writeTensor(record, corrected.bytes)
  job.context.report({ type: 'tensor', ...record })
  return corrected.weights
}

/** Rounds one layer, writes its file, and gives the quantized weights back dense. */
async function quantizeLayer(task: QuantizeTask, layer: Layer, chosen: Chosen, weights: Float32Array, layerInputs: LayerInputs): Promise<Float32Array> {
  if (chosen.rank > 0) return correctLayer(task, layer, chosen, weights, layerInputs)
  const { job, rounder } = task
  const { codec: option } = chosen
  const shape = shapeOf(layer)
  const bytes = await rounder(option, shape, weights, layerInputs.rounding)
  const dense = new Float32Array(weights.length)
  await kernels().decode(option, shape, bytes, dense)
  const record: Finished = { name: layer.name, option, bytes: bytes.length, error: await roundingError(weights, dense, shape, layerInputs.rounding) }
  await job.writeTensor(record, bytes)
  job.context.report({ type: 'tensor', ...record })
  return dense
}

/** Statistics of one tap of a block under the weights at hand. */
async function tapStatistics({ windows, runner, job, guidance }: QuantizeTask, block: number, tap: Tap, weights: BlockWeights, hidden: Park): Promise<Statistics | null> {
  let statistics: Statistics | null = null
  for (let window = 0; window < windows.length; window++) {
    job.context.signal.throwIfAborted()
    const state = await hidden.get(window)
    const inputs = await runner.tap(block, state, weights, tap)
    statistics ??= emptyStatistics(inputs.length / (state.length / runner.hidden))
    await addGuided(statistics, inputs, guidance?.roots(`blocks.${block}.${tap}`, window))
  }
  return statistics
}

/** Quantizes one block; resolves to its quantized weights. What has been rounded is released: at its widest, one copy of the block is in memory. */
async function quantizeBlock(task: QuantizeTask, block: number, options: ReadonlyMap<string, Chosen>, hidden: Park, progress: Progress): Promise<BlockWeights> {
  const { job, layers, runner } = task
  const current: Partial<Record<BlockLayer, Float32Array>> = { ...(await runner.weights(block)) }
  for (const tap of taps) {
    const work: { part: BlockLayer; layer: Layer; chosen: Chosen; weights: Float32Array }[] = []
    for (const part of layersOfTap[tap]) {
      const layer = layers.find((candidate) => candidate.name === `blocks.${block}.${part}`)
      const weights = current[part]
      if (!layer || !weights) continue
      const chosen = options.get(layer.name)
      if (chosen === undefined) throw new AppError('bad-recipe', `recipe: no option for layer ${layer.name}`, { hint: 'Plan again for this model.' })
      if (await job.finished(layer.name, chosen.codec)) {
        const rounded = await readFinished(job, layer, chosen.codec)
        current[part] = chosen.rank === 0 ? rounded : await mergeBranch(rounded, await readBranch(job, layer, chosen.rank))
        await kernels().release([weights])
        progress.advance(layer.name)
      } else work.push({ part, layer, chosen, weights })
    }
    if (work.length === 0) continue
    const statistics = await tapStatistics(task, block, tap, current, hidden)
    const inputs: LayerInputs = statistics ? { rounding: roundingStatistics(statistics), corrections: correctionInputs(statistics) } : noInputs
    for (const { part, layer, chosen, weights } of work) {
      job.context.signal.throwIfAborted()
      current[part] = await quantizeLayer(task, layer, chosen, weights, inputs)
      await kernels().release([weights])
      progress.advance(layer.name)
    }
    await inputs.rounding?.release()
  }
  return current
}

/** Moves `targets` on to the original block's outputs, learns the codes of the rounded block from them, and gives its weights back dense. */
async function learnRounding(task: QuantizeTask, block: number, options: ReadonlyMap<string, Chosen>, { inputs, targets }: { inputs: Park; targets: Park }, rounded: BlockWeights): Promise<BlockWeights> {
  const { job, layers, runner, windows, learn } = task
  if (!learn) return rounded
  const original = await runner.weights(block)
  for (let window = 0; window < windows.length; window++) {
    job.context.signal.throwIfAborted()
    await targets.set(window, await runner.run(block, await targets.get(window), original))
  }
  await kernels().release(Object.values(original))
  const blobs = await learnedOf(job, block, () => learn(block, { inputs, targets, windows: windows.length }))
  const current: Partial<Record<BlockLayer, Float32Array>> = { ...rounded }
  for (const [name, bytes] of blobs) {
    const layer = layers.find((candidate) => candidate.name === name)
    const chosen = options.get(name)
    if (!layer || !chosen) continue
    const finished = await job.finished(name, chosen.codec)
    await job.writeTensor({ name, option: chosen.codec, bytes: bytes.length, error: finished?.error ?? 0 }, bytes)
    const dense = await readFinished(job, layer, chosen.codec)
    const part = name.split('.')[2] as BlockLayer
    const before = current[part]
    current[part] = chosen.rank === 0 ? dense : await mergeBranch(dense, await readBranch(job, layer, chosen.rank))
    if (before) await kernels().release([before])
  }
  return current
}

/** H of the head's inputs in the unquantized model, for tables that are quantized before the blocks are; kept in the job. */
async function headStatistics({ job, runner, windows, park, guidance }: QuantizeTask): Promise<Statistics | null> {
  if (windows.length === 0) return null
  const statistics = emptyStatistics(runner.hidden)
  const saved = await job.readFile('head-hessian.bin')
  if (saved?.byteLength === statistics.hessian.byteLength) {
    new Uint8Array(statistics.hessian.buffer).set(saved)
    statistics.tokens = windows.reduce((sum, window) => sum + window.length, 0)
    return statistics
  }
  const hidden = park(windows.length)
  try {
    for (const [index, window] of windows.entries()) await hidden.set(index, await runner.embed(window))
    for (let block = 0; block < runner.blocks; block++) {
      const weights = await runner.weights(block)
      for (let window = 0; window < windows.length; window++) {
        job.context.signal.throwIfAborted()
        await hidden.set(window, await runner.run(block, await hidden.get(window), weights))
      }
      await kernels().release(Object.values(weights))
    }
    for (let window = 0; window < windows.length; window++) await addGuided(statistics, await runner.finish(await hidden.get(window)), guidance?.roots('head', window))
  } finally {
    await hidden.dispose()
  }
  await job.writeFile('head-hessian.bin', new Uint8Array(statistics.hessian.buffer))
  return statistics
}

/** Quantizes the embedding and the head. */
async function quantizeTables(task: QuantizeTask, options: ReadonlyMap<string, Chosen>, progress: Progress): Promise<void> {
  const { job, layers, rounder, readRows } = task
  const tables = layers.filter((layer) => layer.block === null)
  const tied = !tables.some((layer) => layer.name === 'head')
  for (const layer of tables) {
    const chosen = options.get(layer.name)
    if (chosen === undefined) throw new AppError('bad-recipe', `recipe: no option for layer ${layer.name}`, { hint: 'Plan again for this model.' })
    if (chosen.rank > 0) throw new AppError('bad-recipe', `layer ${layer.name}: found rank ${chosen.rank}, expected 0: only the linear layers of the blocks are corrected`, { hint: 'Plan again for this model.' })
    const { codec } = chosen
    const shape = shapeOf(layer)
    const name = layer.name === 'head' ? 'head' : 'embedding'
    if (!(await job.finished(name, codec))) {
      const statistics = await tableStatistics(tied ? 'tied' : name, name === 'head' || tied ? await headStatistics(task) : null, task.guidance)
      const inputs = statistics && roundingStatistics(statistics)
      const { bytes, error } = await quantizeTable({ codec, shape, rounder, inputs, read: (rows) => readRows(name, rows), signal: job.context.signal })
      const record: Finished = { name, option: codec, bytes: bytes.length, error }
      await job.writeTensor(record, bytes)
      job.context.report({ type: 'tensor', ...record })
      await kernels().release([bytes])
      await inputs?.release()
    }
    progress.advance(name)
  }
}

/** Embeds the windows by the quantized embedding into `hidden`, and by the source's into `original`. */
async function embedWindows({ job, layers, runner, windows }: QuantizeTask, options: ReadonlyMap<string, Chosen>, hidden: Park, original: Park | null): Promise<void> {
  const layer = layers.find(({ name }) => name === 'embedding')
  const chosen = options.get('embedding')
  const table = layer && chosen && { codec: chosen.codec, shape: shapeOf(layer), bytes: await job.readTensor('embedding') }
  for (const [index, window] of windows.entries()) {
    await hidden.set(index, table ? await runner.embed(Int32Array.from(window.keys()), await lookUp(table.codec, table.shape, table.bytes, window)) : await runner.embed(window))
    await original?.set(index, await runner.embed(window))
  }
}

/** Quantizes every layer of the recipe into the job's folder. */
export async function quantizeDecoder(task: QuantizeTask): Promise<void> {
  const { job, layers, runner, windows } = task
  const options = new Map(job.recipe.choice.map(({ name, option, rank }): [string, Chosen] => [name, { codec: codecOf(option), rank }]))
  const progress = beginStage(job.context, 'quantize', layers.length)
  await quantizeTables(task, options, progress)
  const hidden = task.park(Math.max(windows.length, 1))
  const original = task.learn && windows.length > 0 ? task.park(windows.length) : null
  try {
    await embedWindows(task, options, hidden, original)
    for (let block = 0; block < runner.blocks; block++) {
      const rounded = await quantizeBlock(task, block, options, hidden, progress)
      const weights = original === null ? rounded : await learnRounding(task, block, options, { inputs: hidden, targets: original }, rounded)
      for (let window = 0; window < windows.length; window++) {
        job.context.signal.throwIfAborted()
        await hidden.set(window, await runner.run(block, await hidden.get(window), weights))
      }
      await kernels().release(Object.values(weights))
    }
  } finally {
    await hidden.dispose()
    await original?.dispose()
  }
}
