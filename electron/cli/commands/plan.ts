/** @file halftone plan: the best mixed plan under a budget, solved from one saved measurement. */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { AppError } from '../../contract/errors.ts'
import type { Plan, PlanInput } from '../../contract/engine.ts'
import { optionName } from '../../contract/options.ts'
import { Sensitivity } from '../../contract/sensitivity.ts'
import { parseBudget } from '../../engine/budget/budget.ts'
import { createEngine } from '../../engine/engine.ts'
import { writeWhole } from '../../engine/job/files.ts'
import { runCommand, sizeText, table } from '../terminal.ts'
import { pinned, ranks, type AddCommand } from './command.ts'

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
export function planText({ recipe, uniform, warnings }: Plan): string {
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
    ...warnings.map((warning) => `note: ${warning}`),
  ].join('\n')
}

export const addPlan: AddCommand = (program) => {
  program
    .command('plan')
    .description('choose an option for each layer under a budget')
    .argument('<model>')
    .requiredOption('--measured <file>', 'sensitivity.json')
    .requiredOption('--target <name>', 'gguf, onnx or safetensors')
    .requiredOption('--budget <size>', '2.8bpw, 120MB, 2733344B or 50%')
    .option('--pin <layer=option>', 'fix a layer (repeatable)', pinned, {})
    .option('--correct <name>', 'correction of the recipe; ranks are chosen from those measured', 'none')
    .option('--ranks <list>', 'only these ranks, such as 0,8,16', ranks)
    .option('--adapter-storage <type>', 'float16 or int8 numbers in corrections (default: float16)')
    .option('--allocator <name>', 'exact, milp, greedy or monotone', 'exact')
    .option('--out <file>', 'write the recipe here')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { json?: boolean; measured: string; target: PlanInput['target']; budget: string; pin: Record<string, string>; allocator: NonNullable<PlanInput['allocator']>; correct: NonNullable<PlanInput['correction']>; ranks?: number[]; adapterStorage?: NonNullable<PlanInput['adapterStorage']>; out?: string }) => {
      await runCommand(options, async ({ context, result }) => {
        const measured = await readSensitivity(options.measured)
        const { target, pin, allocator, correct, ranks: allowed, adapterStorage } = options
        const plan = await createEngine().plan({ model, measured, target, budget: parseBudget(options.budget), pins: pin, allocator, correction: correct, ...(allowed && { ranks: allowed }), ...(adapterStorage && { adapterStorage }) }, context)
        if (options.out !== undefined) await writeWhole(options.out, `${JSON.stringify(plan.recipe, null, 2)}\n`)
        result(plan, planText)
      })
    })
}
