/** @file halftone compress: measure, plan, quantize, export and check, in one go. `run` does the last three from a recipe. */
import path from 'node:path'
import type { Command } from 'commander'
import type { MeasureInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Target } from '../../contract/options.ts'
import type { Recipe } from '../../contract/recipe.ts'
import type { CompressReport } from '../../contract/report.ts'
import { parseBudget } from '../../engine/budget/budget.ts'
import { createEngine } from '../../engine/engine.ts'
import { makeFolder, readIfThere } from '../../engine/job/files.ts'
import { readRecipe } from '../../engine/job/job.ts'
import { runCommand, sizeText, table } from '../terminal.ts'
import { byteCount, pinned, positiveInteger, type AddCommand } from './command.ts'

/** The report for people: before and after, predicted and actual. */
export function reportText(report: CompressReport): string {
  const { predicted, perplexityReference, klMean, klStderr, sameTop } = report
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(0)} s`
  return [
    `wrote ${report.output}`,
    table(['', 'before', 'after'], [
      ['bits per weight', '16', report.bitsPerWeight.toFixed(3)],
      ['perplexity', perplexityReference?.toFixed(3) ?? '–', `${report.perplexity.toFixed(3)} ± ${report.perplexityStderr.toFixed(3)}`],
      ['mean KL divergence', '0', klMean === undefined ? '–' : `${klMean.toFixed(5)} ± ${(klStderr ?? 0).toFixed(5)}`],
      ['same most likely token', '100 %', sameTop === undefined ? '–' : `${(sameTop * 100).toFixed(1)} %`],
    ]),
    table(['', 'predicted', 'actual'], [
      ['size', sizeText(predicted.sizeBytes), sizeText(report.sizeBytes)],
      ['peak memory', sizeText(predicted.peakMemoryBytes), sizeText(report.peakMemoryBytes)],
      ['time', seconds(predicted.elapsedMs), seconds(report.elapsedMs)],
    ]),
    ...report.warnings.map((warning) => `note: ${warning}`),
  ].join('\n\n')
}

export interface CompressOptions {
  json?: boolean
  data: string
  target: Target
  budget: string
  out: string
  metric: string
  rounder: Recipe['rounder']
  correct: Recipe['correction']
  samples: number
  length: number
  seed: number
  pin: Record<string, string>
  text?: string
  memory?: number
  options?: string[]
  resume?: boolean
}

/** Refuses an output folder that holds something already, unless the run there is to be continued. */
async function claimFolder(folder: string, resume: boolean): Promise<void> {
  if (!resume && (await readIfThere(path.join(folder, 'sensitivity.json')) ?? await readIfThere(path.join(folder, 'report.json')))) {
    throw new AppError('file-exists', `${folder}: holds an earlier result`, { hint: 'Continue it with --resume, or choose another folder with --out.' })
  }
  await makeFolder(folder)
}

/** Measure → plan → run, all files below `options.out`. */
export async function compress(model: string, options: CompressOptions, context: Context): Promise<CompressReport> {
  const engine = createEngine()
  const budget = parseBudget(options.budget)
  const resume = options.resume ?? false
  await engine.inspect({ model }, context) // refuse what cannot be read before anything is written
  await claimFolder(options.out, resume)
  const measureInput: MeasureInput = {
    model, data: options.data, metric: options.metric, rounder: options.rounder, target: options.target, samples: options.samples, length: options.length, seed: options.seed,
    out: path.join(options.out, 'sensitivity.json'), ...(options.options && { options: options.options }), ...(options.memory !== undefined && { memoryBytes: options.memory }),
  }
  const measured = await engine.measure(measureInput, context)
  const folder = path.join(options.out, 'job')
  const begun = resume && await readIfThere(path.join(folder, 'recipe.json'))
  const recipe = begun
    ? await readRecipe(path.join(folder, 'recipe.json'))
    : (await engine.plan({ model, measured, target: options.target, budget, pins: options.pin, correction: options.correct }, context)).recipe
  return engine.run({ recipe, folder, out: options.out, resume: Boolean(begun), ...(options.text !== undefined && { text: options.text }) }, context)
}

/** The options that measuring and compressing share. */
export function addCompressOptions(command: Command): Command {
  return command
    .option('--metric <name>', 'how a loss is measured', 'kl-scaled')
    .option('--rounder <name>', 'nearest, search or gptq', 'gptq')
    .option('--correct <name>', 'none, eora, lrec, rilq or scales', 'none')
    .option('--options <names>', 'choose only among these, such as Q3_K,Q4_K', (text: string) => text.split(','))
    .option('--samples <n>', 'calibration windows', positiveInteger, 128)
    .option('--length <n>', 'tokens in a window', positiveInteger, 512)
    .option('--seed <n>', 'seed of the choice of windows', Number, 0)
    .option('--pin <layer=option>', 'fix a layer (repeatable)', pinned, {})
    .option('--text <file>', 'held-out text to evaluate on (default: a part of --data that is not calibrated on)')
    .option('--memory <size>', 'memory for parked activations, such as 2GB', byteCount)
}

export const addCompress: AddCommand = (program) => {
  addCompressOptions(
    program
      .command('compress')
      .description('make a mixed-precision checkpoint under a budget, and check it')
      .argument('<model>')
      .requiredOption('--data <file>', 'calibration text, JSONL, CSV, Parquet, or a folder of them')
      .requiredOption('--target <name>', 'gguf, onnx or safetensors')
      .requiredOption('--budget <size>', '2.8bpw, 120MB, 2733344B or 50%')
      .requiredOption('--out <folder>'),
  )
    .option('--resume', 'continue what was begun in --out')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: CompressOptions) => {
      await runCommand(options, async ({ context, result }) => result(await compress(model, options, context), reportText))
    })
}
