/**
 * @file train: fine-tunes a quantized model on a person's own data. Its weights stay packed; what is learned are branches beside them
 * and, where asked for, stored scales and norms. Leaves the adapter in two formats, a report, and the loss as picture and numbers.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import { TrainInput, type TrainReport } from '../../contract/training.ts'
import { openModelTokenizer } from '../calibrate/calibration.ts'
import type { Adapter } from '../correct/adapter.ts'
import { readAdapter } from '../export/adapter-read.ts'
import { readExamples, type Examples } from '../io/chat-data.ts'
import { makeFolder, writeWhole } from '../job/files.ts'
import { observe } from '../job/monitor.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { defaultParkedBytes } from '../session/parking.ts'
import type { Point } from './checkpoint.ts'
import { curveSvg } from './curve.ts'
import { objectives } from './objectives/objectives.ts'
import { targetKind } from './objectives/objective.ts'
import { measureSpeed } from './measure-speed.ts'
import { TrainOptions } from './options.ts'
import { writeOutputs } from './outputs.ts'
import { memoryLeft, predictTraining, type TrainingPrediction } from './predict.ts'
import { promptsOf, writeSamples } from './sampler.ts'
import { openTrainSource, type TrainSource } from './source.ts'
import { trainAdapters } from './train-adapters.ts'
import { summaryOf } from './train-job.ts'
import { trainedNumbers } from './trained-numbers.ts'
import { newAdapter } from './trainables/adapters.ts'

type Request = ReturnType<typeof TrainInput.parse>

/** Refuses a folder with an earlier run, unless that is to be continued. */
async function checkFolder({ out, resume }: Request): Promise<void> {
  if (resume) return
  for (const name of ['report.json', path.join('training', 'checkpoint.safetensors')]) {
    if (await stat(path.join(out, name)).catch(() => null)) throw new AppError('file-exists', `${out}: holds an earlier run`, { hint: 'Continue it with --resume, or choose another folder with --out.' })
  }
}

/** The original, where the objective learns from one and it is known; the run says what is missing where it is not. */
async function openTeacher({ objective, reference }: Request, source: TrainSource, context: Context): Promise<DecoderModel | undefined> {
  const original = reference ?? source.reference
  const needed = targetKind(objectives[objective]({}), source.base.model.spec.blocks) !== null
  return needed && original !== null ? openDecoder(original, context) : undefined
}

/** Branches to begin with: those given, those of the model's correction, or new ones; none where none are trained and the model has none. */
async function startOf({ adapter, trainable, rank, alpha, seed }: Request, source: TrainSource, context: Context): Promise<Adapter> {
  const { model } = source.base
  const given = adapter === undefined ? source.adapter : await readAdapter(adapter, model, context)
  return given.size > 0 || !trainable.includes('adapters') ? given : newAdapter(model, rank, { seed, ...(alpha !== undefined && { alpha }) })
}

interface Plan {
  readonly microBatch: number
  /** Memory for weights and inputs of blocks, and what of them waits on disk instead. */
  readonly memoryBytes: number
  readonly parkedBytes: number
  readonly predicted: Omit<TrainingPrediction, 'parkableBytes'>
}

/** Evaluations of a run to its end: before the first step, and as often as training does unless told. */
function evaluationsOf({ steps }: Request): number {
  return 1 + Math.ceil(steps / TrainOptions.parse({}).evaluateEvery)
}

/** The largest micro-batch up to the one asked for that fits the memory limit with all that may wait on disk there. */
async function planRun(request: Request, { base }: TrainSource, { train, heldOut, counts }: Examples, adapter: Adapter, hasTeacher: boolean, { signal }: Context): Promise<Plan> {
  const { memoryBytes: limit, batch, steps, trainable } = request
  const numbers = trainedNumbers(base, (layer) => adapter.get(layer)?.rank ?? 0, trainable)
  const length = Math.max(...[...train, ...heldOut].map(({ tokens }) => tokens.length))
  const speed = await measureSpeed(base, { adapter, microBatch: 1, length }, signal)
  const size = {
    steps, batch, length, meanLength: counts.tokens / train.length, judged: counts.targets / counts.tokens, ...numbers, isJudged: heldOut.length > 0, hasTeacher,
    evaluatedTokens: evaluationsOf(request) * heldOut.reduce((sum, { tokens }) => sum + tokens.length, 0),
  }
  let least = 0
  for (let microBatch = Math.min(request.microBatch, batch); microBatch >= 1; microBatch--) {
    const predicted = predictTraining(base, { ...size, microBatch }, speed)
    const { peakMemoryBytes, elapsedMs, parkableBytes } = predicted
    least = peakMemoryBytes - parkableBytes
    const memoryBytes = memoryLeft(limit, predicted) ?? defaultParkedBytes()
    const parkedBytes = Math.max(0, parkableBytes - memoryBytes)
    if (memoryBytes >= 0) return { microBatch, memoryBytes, parkedBytes, predicted: { peakMemoryBytes: peakMemoryBytes - parkedBytes, elapsedMs } }
  }
  throw new AppError('bad-data', `memory limit: found ${((limit ?? 0) / 1e6).toFixed(0)} MB, expected at least ${(least / 1e6).toFixed(0)} MB, which branches, one block and the tables of the vocabulary take`, { hint: 'Allow more with --memory, or use shorter windows (--length), a smaller rank, or a model of fewer bits.' })
}

function dataWarnings({ truncated, truncatedTokens, unusable, duplicates, examples }: Examples['counts'], length: number): string[] {
  return [
    ...(truncated > 0 ? [`${truncated} examples are longer than ${length} tokens and were cut: ${truncatedTokens} tokens are not learned`] : []),
    ...(unusable > 0 ? [`${unusable} rows were left out: their prompts alone fill a window`] : []),
    ...(duplicates > 0 ? [`${duplicates} of ${duplicates + examples} examples were doubles and left out`] : []),
  ]
}

function denseWarning({ base }: TrainSource): string[] {
  const dense = base.model.layers.filter(({ name, block }) => block !== null && ['F32', 'F16', 'BF16'].includes(base.codec(name)))
  return dense.length === 0 ? [] : [`${dense.length} layers are not quantized and take 4 bytes a weight in memory: quantize the model first to train in less`]
}

async function writeCurve(out: string, points: readonly Point[]): Promise<TrainReport['curve']> {
  const files = { svg: path.join(out, 'loss.svg'), json: path.join(out, 'loss.json') }
  const series = Map.groupBy(points, (point) => point.series)
  await writeWhole(files.svg, curveSvg(points))
  await writeWhole(files.json, `${JSON.stringify(Object.fromEntries([...series].map(([name, own]) => [name, own.map(({ step, value }) => [step, value])])))}\n`)
  return files
}

/**
 * Fine-tunes a model, or goes on with a run that was stopped.
 * @throws AppError bad-data (no usable example, a chat template that fails, overlap), adapter-mismatch, training-diverged, disk-full, file-exists
 */
export async function train(raw: TrainInput, context: Context): Promise<TrainReport> {
  const request = TrainInput.parse(raw)
  const { out, objective, trainable, steps, batch, learningRate, seed, diskBytes } = request
  const stop = observe()
  await checkFolder(request)
  const source = await openTrainSource(request.model, context)
  let teacher: DecoderModel | undefined
  try {
    const { base } = source
    const tokenizer = await openModelTokenizer(base.model)
    const length = Math.min(request.length, base.model.spec.contextLength)
    const examples = await readExamples(request.data, tokenizer, { length, seed, heldOut: request.heldOut, signal: context.signal })
    const adapter = await startOf(request, source, context)
    teacher = await openTeacher(request, source, context)
    const { microBatch, memoryBytes, parkedBytes, predicted } = await planRun(request, source, examples, adapter, teacher !== undefined, context)
    const warnings = [...dataWarnings(examples.counts, length), ...denseWarning(source)]
    for (const text of warnings) context.report({ type: 'log', level: 'warning', text })
    context.report({ type: 'log', level: 'info', text: `expected: ${(predicted.peakMemoryBytes / 1e9).toFixed(2)} GB of memory${parkedBytes > 0 ? `, ${(parkedBytes / 1e9).toFixed(2)} GB of weights and states on disk` : ''}, about ${Math.ceil(predicted.elapsedMs / 60_000)} min for ${steps} steps of ${batch} windows (${examples.train.length} windows, ${examples.counts.targets} of ${examples.counts.tokens} tokens are learned)` })
    const prompts = promptsOf(examples.heldOut.length > 0 ? examples.heldOut : examples.train, request.samples)
    const folder = path.join(out, 'training')
    await makeFolder(folder)
    const samples = { tokens: request.sampleTokens, memoryBytes, folder }
    const before = await writeSamples(base, { adapter }, tokenizer, prompts, samples, context)
    const trained = await trainAdapters({
      base, teacher, adapter, windows: examples.train, heldOut: examples.heldOut, folder, memoryBytes, diskBytes,
      options: { objective, trainable, steps, batch, microBatch, seed, rank: request.rank, ...(request.alpha !== undefined && { alpha: request.alpha }), ...(learningRate !== undefined && { learningRate, scaleRate: learningRate, normRate: learningRate }) },
    }, context)
    const after = await writeSamples(base, trained, tokenizer, prompts, samples, context)
    const outputs = await writeOutputs(source, trained, tokenizer, out, context)
    const curve = await writeCurve(out, trained.points)
    const { elapsedMs, peakMemoryBytes } = stop()
    const report: TrainReport = {
      model: source.file ?? request.model, training: summaryOf(trained, objective, trainable), data: examples.counts, ...outputs,
      samples: prompts.map(({ prompt, expected }, at) => ({ prompt: tokenizer.decode(prompt), expected: tokenizer.decode(expected), before: before[at] ?? '', after: after[at] ?? '' })),
      curve, predicted, peakMemoryBytes, elapsedMs, warnings,
    }
    await writeWhole(path.join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
    context.report({ type: 'done', report })
    return report
  } finally {
    await teacher?.close()
    await source.close()
  }
}
