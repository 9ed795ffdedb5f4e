/**
 * @file Carries out a recipe in a job folder: quantize, train what is to be trained, export, open the exported file again, evaluate it against the source.
 * Every stage can be stopped and resumed; the exported bytes do not depend on where it was.
 */
import path from 'node:path'
import { AppError } from '../contract/errors.ts'
import type { Context } from '../contract/events.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { CompressReport, Evaluation } from '../contract/report.ts'
import type { Guidance } from './calibrate/guidance.ts'
import { heldOutWindows, openCalibration, openModelTokenizer, trainingWindows, type Calibration } from './calibrate/calibration.ts'
import { formatWarnings } from './budget/warnings.ts'
import { correctionOf } from './correct/corrections.ts'
import { jobAdapter } from './correct/job-adapter.ts'
import { jobRowWeights } from './correct/job-fisher.ts'
import { cutWindows } from './evaluate/windows.ts'
import { evaluate } from './evaluate/perplexity.ts'
import { evaluableDecoder } from './evaluate/decoder.ts'
import { openEvaluable } from './evaluate/open.ts'
import { exporters } from './export/exporters.ts'
import { provenanceOf, type Exported } from './export/exporter.ts'
import { stampMeasured } from './export/measured.ts'
import { licenseOf, modelCard } from './export/model-card.ts'
import { isGraphFile } from './graph-model/open.ts'
import { runGraph } from './graph-model/run.ts'
import { readTexts } from './io/data.ts'
import type { Tokenizer } from './io/tokenizer.ts'
import { makeFolder, writeWhole } from './job/files.ts'
import { openJob, type Job } from './job/job.ts'
import { observe } from './job/monitor.ts'
import { beginStage } from './job/progress.ts'
import { quantizeDecoder } from './quantize/quantize-decoder.ts'
import { learnRounded } from './quantize/learned/learn-job.ts'
import { isGuided, runRounders } from './quantize/rounders/rounders.ts'
import { guide } from './sensitivity/guide.ts'
import { ggufWarnings } from './session/inspect.ts'
import { openDecoder, type DecoderModel } from './session/model.ts'
import { createParking } from './session/parking.ts'
import { openProgram } from './session/program.ts'
import type { JobTrained } from './train/job-trained.ts'
import { trainJob } from './train/train-job.ts'
import { withNorms } from './train/with-norms.ts'

export interface RunInput {
  readonly recipe: Recipe
  /** The job's folder. */
  readonly folder: string
  /** Where the result goes. */
  readonly out: string
  readonly resume?: boolean | undefined
  /** Held-out text to evaluate on; windows of the calibration data that were not used, without it. */
  readonly text?: string | undefined
}

/** Length of windows where nothing says it. */
const defaultLength = 512

async function checkModel(model: DecoderModel, { model: { sha256 } }: Recipe, context: Context): Promise<void> {
  const found = await model.checkpoint.sha256(context.signal)
  if (found !== sha256) {
    throw new AppError('bad-recipe', `${model.path}: the model has changed since the recipe was made (sha256 ${found.slice(0, 12)}…, expected ${sha256.slice(0, 12)}…)`, { hint: 'Measure and plan again for this model.' })
  }
}

/** The recipe's calibration windows; none for a recipe without data. */
export async function calibrationOf(model: DecoderModel, recipe: Recipe, context: Context): Promise<Calibration> {
  const { data, seed } = recipe
  if (data === null) return { tokenizer: await openModelTokenizer(model), windows: [], sha256: '', warnings: [] }
  const calibration = await openCalibration(model, data.path, { samples: data.samples, length: data.length, seed }, context)
  if (calibration.sha256 !== data.sha256) {
    throw new AppError('bad-recipe', `${data.path}: the calibration data has changed since the recipe was made`, { hint: 'Measure and plan again with this data.' })
  }
  return calibration
}

/** Whether every layer is on disk, as after an interruption later on. */
async function isQuantized({ recipe, finished }: Job): Promise<boolean> {
  for (const { name, option } of recipe.choice) if (!(await finished(name, option))) return false
  return true
}

/** What weighs the tokens of the statistics, where the rounder wants it and something is left to round. */
async function guidanceFor(job: Job, model: DecoderModel, windows: readonly Int32Array[]): Promise<Guidance | undefined> {
  const { folder, recipe: { rounder, seed, memoryBytes }, context } = job
  if (!isGuided(rounder) || windows.length === 0 || await isQuantized(job)) return undefined
  return guide(model, windows, { seed, memoryBytes, folder: path.join(folder, 'guide') }, context)
}

/** Quantizes every layer into the job's folder. */
export async function quantizeJob(job: Job, model: DecoderModel, { windows }: Pick<Calibration, 'windows'>): Promise<void> {
  const { recipe, context } = job
  const fit = correctionOf(recipe.correction)
  const rowWeights = fit?.fisher === true ? await jobRowWeights(job, model, windows) : undefined
  const correction = fit && { correction: fit, storage: recipe.adapterStorage ?? 'float16', target: recipe.target, rowWeights }
  const guidance = await guidanceFor(job, model, windows)
  const program = openProgram(model, { signal: context.signal })
  const slotBytes = Math.max(...windows.map((window) => window.length), 1) * model.spec.hidden * 4
  const parking = createParking({ slotBytes, memoryBytes: recipe.memoryBytes, folder: job.folder })
  try {
    await quantizeDecoder({
      job, layers: model.layers, runner: program, windows, rounder: runRounders[recipe.rounder], correction, guidance,
      learn: learnRounded(job, model), readRows: model.readRows, park: (count) => parking.open(count),
    })
  } finally {
    program.dispose()
  }
}

/** Trains what the recipe's correction wants trained; null where nothing is. */
export function correctJob(job: Job, model: DecoderModel, tokenizer: Tokenizer): Promise<JobTrained | null> {
  return trainJob(job, model, (length, most) => trainingWindows(tokenizer, job.recipe, { length, most }, job.context))
}

/** Writes a job's quantized layers, as trained where they were, as the recipe's target below `out`. */
export async function exportJob(job: Job, model: DecoderModel, tokenizer: Tokenizer, trained: JobTrained | null, out: string): Promise<Exported> {
  const { recipe, context } = job
  const exporter = exporters[recipe.target]
  return exporter.write(
    {
      model: withNorms(model, trained?.norms ?? new Map()), tokenizer, provenance: provenanceOf(recipe), choice: recipe.choice,
      blob: trained?.blob ?? ((layer) => job.readTensor(layer)), adapter: trained?.adapter ?? jobAdapter(job, model.layers, recipe.choice),
      out: path.join(out, exporter.fileName === '' ? 'model' : ''),
    },
    context,
  )
}

/** The windows a result is judged on: those of a text, or of the data what was not calibrated on; none where there is neither. */
export async function evaluationWindows(tokenizer: Tokenizer, { recipe, text }: Pick<RunInput, 'recipe' | 'text'>, context: Context): Promise<readonly Int32Array[]> {
  const length = recipe.data?.length ?? defaultLength
  if (text === undefined) {
    return recipe.data ? heldOutWindows(tokenizer, recipe.data.path, { samples: recipe.data.samples, length, seed: recipe.seed }, context) : []
  }
  const parts: Int32Array[] = []
  for await (const { text: part } of readTexts(text)) parts.push(await tokenizer.encode(part, context.signal))
  const tokens = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    tokens.set(part, at)
    at += part.length
  }
  return cutWindows(tokens, { length, bos: tokenizer.addsBos ? tokenizer.bos : null }, text)
}

/** Opens an exported file again and holds it against the model it was made from. */
export async function evaluateExport(model: DecoderModel, exported: Exported, windows: readonly Int32Array[], { memoryBytes }: Recipe, context: Context): Promise<Evaluation> {
  const subject = await openEvaluable(exported.path, { memoryBytes, elements: model.elements, adapter: exported.adapter?.path }, context)
  try {
    return await evaluate({ model: subject, reference: evaluableDecoder(model), windows }, context)
  } finally {
    await subject.close()
  }
}

/** Runs a recipe to the end; the report is also written to `report.json` beside the result. */
export async function run(input: RunInput, outer: Context): Promise<CompressReport> {
  const { recipe, out } = input
  if (isGraphFile(recipe.model.path)) return runGraph(input, outer)
  const stop = observe()
  const model = await openDecoder(recipe.model.path, outer)
  try {
    await checkModel(model, recipe, outer)
    const calibration = await calibrationOf(model, recipe, outer)
    const job = await openJob(input.folder, recipe, input.resume ?? false, outer)
    const { context } = job
    for (const text of calibration.warnings) context.report({ type: 'log', level: 'warning', text })
    await quantizeJob(job, model, calibration)
    const trained = await correctJob(job, model, calibration.tokenizer)
    await makeFolder(out)
    const progress = beginStage(context, 'export', 1)
    const written = await exportJob(job, model, calibration.tokenizer, trained, out)
    progress.advance(written.path)
    const windows = await evaluationWindows(calibration.tokenizer, input, context)
    const evaluation = windows.length > 0 ? await evaluateExport(model, written, windows, recipe, context) : null
    const exported = evaluation === null ? written : await stampMeasured(written, exporters[recipe.target].measuredIn, evaluation, context.signal)
    const observed = stop()
    const warnings = [...calibration.warnings, ...formatWarnings(recipe.choice), ...(recipe.target === 'gguf' ? ggufWarnings(model) : [])]
    const bitsPerWeight = (exported.sizeBytes * 8) / model.elements
    const { predicted } = recipe
    const report: CompressReport = {
      ...(evaluation ?? { tokens: 0 }),
      sizeBytes: exported.sizeBytes,
      bitsPerWeight,
      output: exported.path,
      target: recipe.target,
      sha256: exported.sha256,
      ...(exported.adapter && { adapter: exported.adapter }),
      ...(trained && { training: trained.summary }),
      ...observed,
      predicted: { sizeBytes: predicted.sizeBytes, peakMemoryBytes: predicted.peakMemoryBytes, elapsedMs: predicted.elapsedMs, loss: predicted.loss },
      layers: recipe.choice,
      warnings,
    }
    await writeWhole(path.join(out, 'recipe.json'), `${JSON.stringify(recipe, null, 2)}\n`)
    await writeWhole(path.join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
    await writeWhole(path.join(out, 'README.md'), modelCard(recipe, report, await licenseOf(model)))
    context.report({ type: 'done', report })
    await job.flush()
    return report
  } finally {
    await model.close()
  }
}
