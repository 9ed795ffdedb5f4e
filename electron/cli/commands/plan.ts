/** @file halftone plan: the best mixed plan under a budget, solved from one saved measurement. */
import { readFile } from 'node:fs/promises'
import { InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { AppError } from '../../contract/errors.ts'
import { allocatorNames, limitNames, qualityNames, type LimitName, type Plan, type PlanInput } from '../../contract/engine.ts'
import { optionName, targets } from '../../contract/options.ts'
import type { Budget } from '../../contract/recipe.ts'
import { Sensitivity } from '../../contract/sensitivity.ts'
import { parseBudget } from '../../engine/budget/budget.ts'
import { createEngine } from '../../engine/engine.ts'
import { modelPath } from '../../engine/model-path.ts'
import { writeWhole } from '../../engine/job/files.ts'
import { runCommand, sizeText, table } from '../terminal.ts'
import { pinned, ranks, type AddCommand } from './command.ts'
import { targetOf } from './compress.ts'

/** Reads and checks a sensitivity.json. */
export async function readSensitivity(file: string): Promise<Sensitivity> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new AppError('file-missing', `${file}: cannot be read`, { hint: 'Make one with "halftone measure".', cause })
  }
  try {
    return Sensitivity.parse(JSON.parse(text))
  } catch (cause) {
    const what = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause)
    throw new AppError('file-malformed', `${file}: not a sensitivity map: ${what}`, { hint: 'Measure again with "halftone measure".', cause })
  }
}

/** A plan for people: its size and loss beside the uniform baselines, then the choice by option. */
export function planText({ recipe, uniform, warnings, measured }: Plan): string {
  const counts = new Map<string, number>()
  for (const { option, rank } of recipe.choice) {
    const name = optionName({ codec: option, rank })
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const { predicted } = recipe
  return [
    table(['plan', 'size', 'bits/weight', 'predicted loss'], [
      ['mixed', sizeText(predicted.sizeBytes), predicted.bitsPerWeight.toFixed(3), predicted.loss.toExponential(3)],
      ...uniform.map((point) => [`all ${point.option}`, sizeText(point.bytes), point.bitsPerWeight.toFixed(3), point.loss.toExponential(3)]),
    ]),
    `choice: ${[...counts].map(([option, count]) => `${count} × ${option}`).join(', ')}`,
    `predicted: ${predicted.sizeBytes} bytes, ${sizeText(predicted.peakMemoryBytes)} of memory, about ${Math.ceil(predicted.elapsedMs / 1000)} s`,
    ...(measured ? [`measured: ${measured.name} ${measured.value.toPrecision(5)}, of ${measured.evaluations} plans that were carried out`] : []),
    ...warnings.map((warning) => `note: ${warning}`),
  ].join('\n')
}

/** NAME=NUMBER pairs of --constraint: `bytes` takes a size as --budget does, the others a number. */
export interface Constraints {
  readonly bytes?: string
  readonly limits: Readonly<Partial<Record<LimitName, number>>>
}

/** Parses one --constraint, repeated. */
export function constrained(text: string, before: Constraints): Constraints {
  const [name = '', value = '', ...rest] = text.split('=')
  const limit = limitNames.find((known) => known === name)
  const expected = `expected bytes=SIZE, or a number above zero for one of ${limitNames.join(', ')}, such as ms=12`
  if (rest.length > 0 || value === '') throw new InvalidArgumentError(expected)
  if (name === 'bytes') return { ...before, bytes: /^[\d.]+$/.test(value) ? `${value}B` : value }
  const number = Number(value)
  if (limit === undefined || !Number.isFinite(number) || number <= 0) throw new InvalidArgumentError(expected)
  return { ...before, limits: { ...before.limits, [limit]: number } }
}

/** Parses --quality: kl=0.02, ppl=66.5, ppl-ratio=1.01, sqnr=30 (decibels), same-top=0.99 or same-top=99%. */
export function quality(text: string): NonNullable<PlanInput['quality']> {
  const [name, value = '', ...rest] = text.split('=')
  const known = qualityNames.find((one) => one === name)
  const number = value.endsWith('%') ? Number(value.slice(0, -1)) / 100 : Number(value)
  if (known === undefined || value === '' || rest.length > 0 || !Number.isFinite(number) || number <= 0 || (known === 'same-top' && number > 1)) {
    throw new InvalidArgumentError('expected kl=0.02, ppl=66.5, ppl-ratio=1.01 (at most), same-top=99% or sqnr=30 (at least)')
  }
  return { name: known, value: number }
}

/** The size asked for by --budget or --constraint bytes=; without either, all of the model at 16 bits is room enough. */
export function budgetOf(budget: string | undefined, { bytes, limits }: Constraints, isOpen: boolean): Budget {
  const hint = 'Write --budget 2.8bpw, 120MB, 2733344B or 50%; or --constraint ms=12, --quality kl=0.02.'
  if (budget !== undefined && bytes !== undefined) throw new AppError('bad-request', 'found both --budget and --constraint bytes=, expected one of them', { hint })
  if (budget !== undefined) return parseBudget(budget)
  if (bytes !== undefined) {
    const parsed = parseBudget(bytes)
    if (parsed.kind !== 'bytes') throw new AppError('bad-request', `--constraint bytes=${bytes}: expected a number of bytes`, { hint: 'Write bytes=2733344 or bytes=120MB; shares and bits per weight go to --budget.' })
    return parsed
  }
  if (isOpen || Object.keys(limits).length > 0) return { kind: 'ratio', value: 1 }
  throw new AppError('bad-request', 'found no limit, expected a budget, a constraint or a quality', { hint })
}

interface PlanOptions {
  json?: boolean
  measured: string
  /** Language models need it; a graph stays a graph. */
  target?: PlanInput['target']
  budget?: string
  constraint: Constraints
  quality?: NonNullable<PlanInput['quality']>
  text?: string
  pin: Record<string, string>
  allocator: NonNullable<PlanInput['allocator']>
  correct: NonNullable<PlanInput['correction']>
  ranks?: number[]
  adapterStorage?: NonNullable<PlanInput['adapterStorage']>
  out?: string
}

export const addPlan: AddCommand = (program) => {
  program
    .command('plan')
    .description('choose an option for each layer under a budget, other limits, or to a quality')
    .argument('<model>')
    .requiredOption('--measured <file>', 'sensitivity.json')
    .addOption(new Option('--target <name>', 'what the file is for (an ONNX graph stays one)').choices(targets))
    .option('--budget <size>', '2.8bpw, 120MB, 2733344B or 50%')
    .option('--constraint <name=limit>', 'bytes=SIZE of the file, or of one token (of a graph: one sample): macs, bops, ms on this machine (target onnx); repeatable', constrained, { limits: {} })
    .option('--quality <name=value>', 'the smallest plan that keeps kl=0.02, ppl=66.5, ppl-ratio=1.01, same-top=99%, or of a graph sqnr=30 (decibels, its worst output), by trying plans for real', quality)
    .option('--text <file>', 'held-out text to try plans on (default: a part of the measured data that was not calibrated on)')
    .option('--pin <layer=option>', 'fix a layer (repeatable)', pinned, {})
    .option('--correct <name>', 'correction of the recipe; ranks are chosen from those measured', 'none')
    .option('--ranks <list>', 'only these ranks, such as 0,8,16', ranks)
    .option('--adapter-storage <type>', 'float16 or int8 numbers in corrections (default: float16)')
    .addOption(new Option('--allocator <name>', 'exact: proved best; milp: the same under several limits; greedy; monotone: HAWQ-V2; exponent: tries candidates for real').choices(allocatorNames).default('exact'))
    .option('--out <file>', 'write the recipe here')
    .option('--json', 'print one JSON object')
    .action(async (source: string, options: PlanOptions) => {
      await runCommand(options, async ({ context, result }) => {
        const { pin, allocator, correct, ranks: allowed, adapterStorage, constraint, quality: wanted, text } = options
        const model = await modelPath(source)
        const target = targetOf(model, options.target)
        const budget = budgetOf(options.budget, constraint, wanted !== undefined)
        const measured = await readSensitivity(options.measured)
        const plan = await createEngine().plan({
          model, measured, target, budget, pins: pin, allocator, correction: correct, limits: constraint.limits,
          ...(allowed && { ranks: allowed }), ...(adapterStorage && { adapterStorage }), ...(wanted && { quality: wanted }), ...(text !== undefined && { text }),
        }, context)
        if (options.out !== undefined) await writeWhole(options.out, `${JSON.stringify(plan.recipe, null, 2)}\n`)
        result(plan, planText)
      })
    })
}
