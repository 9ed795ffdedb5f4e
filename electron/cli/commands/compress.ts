/** @file halftone compress: measure, plan, quantize, export and check, in one go. `run` does the last three from a recipe. */
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { Option, type Command } from 'commander'
import type { MeasureInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { OutputQuality } from '../../contract/graph.ts'
import type { Target } from '../../contract/options.ts'
import { learnedRoundings, type LearnedRoundingName, type Recipe } from '../../contract/recipe.ts'
import type { CompressReport } from '../../contract/report.ts'
import { parseBudget } from '../../engine/budget/budget.ts'
import { createEngine } from '../../engine/engine.ts'
import { modelPath } from '../../engine/model-path.ts'
import { isGraphFile } from '../../engine/graph-model/open.ts'
import { checkOutput } from '../../engine/graph-model/run.ts'
import { usualMetric, usualRounder } from '../../engine/usual.ts'
import { refuseBudget } from '../../engine/refuse-budget.ts'
import { readIfThere } from '../../engine/job/files.ts'
import { readRecipe } from '../../engine/job/job.ts'
import { runCommand, sizeText, table } from '../terminal.ts'
import { byteCount, pinned, positiveInteger, ranks, type AddCommand } from './command.ts'
import { addTrainingOptions, trainingOf, type TrainingOptions } from './training-options.ts'
import { addGraphOptions, graphOptionsOf, type GraphFlags } from './graph-options.ts'

/** The report for people: before and after, predicted and actual. */
export function reportText(report: CompressReport): string {
  const { predicted } = report
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(0)} s`
  return [
    `wrote ${report.output}${report.adapter ? `\nand its adapter ${report.adapter.path} (${sizeText(report.adapter.sizeBytes)}, counted below)` : ''}`,
    report.outputs === undefined ? languageText(report) : outputsText(report.outputs, report),
    table(['', 'predicted', 'actual'], [
      ['size', sizeText(predicted.sizeBytes), sizeText(report.sizeBytes)],
      ['peak memory', sizeText(predicted.peakMemoryBytes), sizeText(report.peakMemoryBytes)],
      ['time', seconds(predicted.elapsedMs), seconds(report.elapsedMs)],
    ]),
    ...report.warnings.map((warning) => `note: ${warning}`),
  ].join('\n\n')
}

/** Before and after of a language model. */
function languageText(report: CompressReport): string {
  const { perplexity, perplexityStderr, perplexityReference, klMean, klStderr, sameTop } = report
  return table(['', 'before', 'after'], [
    [report.adapter ? 'bits per weight, adapter included' : 'bits per weight', '16', report.bitsPerWeight.toFixed(3)],
    ['perplexity', perplexityReference?.toFixed(3) ?? '–', perplexity === undefined ? 'not measured' : `${perplexity.toFixed(3)} ± ${(perplexityStderr ?? 0).toFixed(3)}`],
    ['mean KL divergence', '0', klMean === undefined ? '–' : `${klMean.toFixed(5)} ± ${(klStderr ?? 0).toFixed(5)}`],
    ['same most likely token', '100 %', sameTop === undefined ? '–' : `${(sameTop * 100).toFixed(1)} %`],
  ])
}

/** Every output of a graph against the original's. */
export function outputsText(outputs: readonly OutputQuality[], { samples = 0, bitsPerWeight }: Pick<CompressReport, 'samples' | 'bitsPerWeight'>): string {
  const rows = outputs.map(({ name, sqnr, cosine, sameTop, klMean }) => [name, `${sqnr.toFixed(2)} dB`, cosine.toFixed(6), sameTop === undefined ? '–' : `${(sameTop * 100).toFixed(1)} %`, klMean?.toFixed(6) ?? '–'])
  return `${bitsPerWeight.toFixed(3)} bits per weight; outputs against the original's over ${samples} samples:\n${table(['output', 'SQNR', 'cosine', 'same class', 'mean KL'], rows)}`
}

export interface CompressOptions extends TrainingOptions, GraphFlags {
  json?: boolean
  data: string
  /** Language models need it; a graph stays a graph. */
  target?: Target
  budget: string
  out: string
  metric?: string
  rounder?: RounderFlag
  correct: Recipe['correction']
  ranks?: number[]
  adapterStorage?: Recipe['adapterStorage']
  samples: number
  length: number
  seed: number
  pin: Record<string, string>
  text?: string
  memory?: number
  options?: string[]
  layout?: 'gptq' | 'compressed-tensors'
  resume?: boolean
}

/** Refuses an output folder that holds something already, unless the run there is to be continued. */
async function checkFolder(folder: string, resume: boolean): Promise<void> {
  if (!resume && (await readIfThere(path.join(folder, 'sensitivity.json')) ?? await readIfThere(path.join(folder, 'report.json')))) {
    throw new AppError('file-exists', `${folder}: holds an earlier result`, { hint: 'Continue it with --resume, or choose another folder with --out.' })
  }
}

/** Refuses to go on with a run that was begun with something else. */
function checkBegun(begun: Recipe, asked: Partial<Pick<Recipe, 'target' | 'budget' | 'correction' | 'training'>>, folder: string): void {
  for (const [name, wanted] of Object.entries(asked)) {
    const found: unknown = Reflect.get(begun, name)
    if (isDeepStrictEqual(found, wanted)) continue
    throw new AppError('file-exists', `${folder}: found a run begun with ${name} ${found === undefined ? 'none' : JSON.stringify(found)}, expected ${JSON.stringify(wanted)}`, { hint: 'Resume it with the options it was begun with, or choose another folder with --out.' })
  }
}

/** What compressed-tensors holds in mixed formats that transformers loads: integers without zero points. */
const symmetricOptions = ['int2-g32-sym', 'int3-g64-sym', 'int3-g32-sym', 'int4-g64-sym', 'int4-g32-sym', 'int8-g64-sym'] as const

/** The target: an ONNX graph stays one, a language model needs to be told. */
export function targetOf(model: string, target: Target | undefined): Target {
  if (target !== undefined) return target
  if (isGraphFile(model)) return 'onnx'
  throw new AppError('bad-request', '--target: found none, expected gguf, onnx or safetensors', { hint: 'Say what the result is for: --target gguf for llama.cpp, onnx for ONNX Runtime, safetensors for transformers.' })
}

/** Layers are measured with the rounder alone; learned rounding follows it in the run. */
type RounderFlag = Recipe['rounder'] | LearnedRoundingName

function isLearned(name: RounderFlag | undefined): name is LearnedRoundingName {
  return learnedRoundings.some((one) => one === name)
}

function rounderOf(name: RounderFlag | undefined, model: string): Recipe['rounder'] {
  return name === undefined || isLearned(name) ? usualRounder(model) : name
}

function learnedOf(name: RounderFlag | undefined): { learnedRounding?: LearnedRoundingName } {
  return isLearned(name) ? { learnedRounding: name } : {}
}

/** Measure → plan → run, all files below `options.out`. */
export async function compress(source: string, options: CompressOptions, context: Context): Promise<CompressReport> {
  const engine = createEngine()
  const model = await modelPath(source)
  const budget = parseBudget(options.budget)
  const resume = options.resume ?? false
  const target = targetOf(model, options.target)
  await engine.inspect({ model }, context) // refuse what cannot be read before anything is written
  if (isGraphFile(model)) checkOutput(model, options.out)
  await checkFolder(options.out, resume)
  const chosen = options.options ?? (options.layout === 'compressed-tensors' ? symmetricOptions : undefined)
  await refuseBudget({ model, target, budget, pins: options.pin, options: chosen }, context)
  const measureInput: MeasureInput = {
    model, data: options.data, metric: options.metric ?? await usualMetric(model), rounder: rounderOf(options.rounder, model), target, samples: options.samples, length: options.length, seed: options.seed,
    correction: options.correct, ...(options.ranks && { ranks: options.ranks.filter((rank) => rank > 0) }), out: path.join(options.out, 'sensitivity.json'), ...(chosen && { options: [...chosen] }), ...(options.memory !== undefined && { memoryBytes: options.memory }), ...graphOptionsOf(options),
  }
  const measured = await engine.measure(measureInput, context)
  const folder = path.join(options.out, 'job')
  const begun = resume && await readIfThere(path.join(folder, 'recipe.json')) ? await readRecipe(path.join(folder, 'recipe.json')) : null
  if (begun !== null) checkBegun(begun, { target, budget, correction: options.correct, ...trainingOf(options) }, folder)
  const planned = async (): Promise<Recipe> => (await engine.plan({ model, measured, target, budget, pins: options.pin, correction: options.correct, ...(options.ranks && { ranks: options.ranks }), ...(options.adapterStorage && { adapterStorage: options.adapterStorage }), ...learnedOf(options.rounder), ...trainingOf(options) }, context)).recipe
  const recipe: Recipe = { ...(begun ?? await planned()), ...(options.memory !== undefined && { memoryBytes: options.memory }) }
  return engine.run({ recipe, folder, out: options.out, resume: begun !== null, ...(options.text !== undefined && { text: options.text }) }, context)
}

/** The options that measuring and compressing share. */
export function addCompressOptions(command: Command): Command {
  return addGraphOptions(addTrainingOptions(command))
    .option('--metric <name>', 'how a loss is measured (default: kl-scaled; of an ONNX graph that can be differentiated, fisher)')
    .option('--rounder <name>', 'nearest, search, gptq, or guided: gptq with tokens weighed by gradients (default: guided; of an ONNX graph, gptq); signround or pv: the default, then codes of a block learned together')
    .option('--correct <name>', 'none, or low-rank corrections: eora, lq-lora, diagonal, svd; trained: lrec, rilq; at no bytes: scales, codes', 'none')
    .option('--ranks <list>', 'ranks to choose from for a correction, such as 0,8,16; one rank is taken for every layer', ranks)
    .option('--adapter-storage <type>', 'float16 or int8 numbers in corrections (default: float16)')
    .option('--options <names>', 'choose only among these, such as Q3_K,Q4_K', (text: string) => text.split(','))
    .addOption(new Option('--layout <name>', 'of safetensors: gptq (GPTQModel, vLLM), or compressed-tensors (transformers), which has no zero points').choices(['gptq', 'compressed-tensors']))
    .option('--samples <n>', 'calibration windows', positiveInteger, 48)
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
      .requiredOption('--data <file>', 'calibration text, JSONL, CSV, Parquet, or a folder of them; for ONNX graphs NPZ, a folder of images, or JSONL')
      .option('--target <name>', 'gguf, onnx or safetensors (an ONNX graph stays one)')
      .requiredOption('--budget <size>', '2.8bpw, 120MB, 2733344B or 50%')
      .requiredOption('--out <folder>'),
  )
    .option('--resume', 'continue what was begun in --out')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: CompressOptions) => {
      await runCommand(options, async ({ context, result }) => result(await compress(model, options, context), reportText))
    })
}
