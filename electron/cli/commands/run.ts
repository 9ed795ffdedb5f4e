/** @file halftone run: carry out a recipe. */
import path from 'node:path'
import { createEngine } from '../../engine/engine.ts'
import { readRecipe } from '../../engine/job/job.ts'
import { runCommand } from '../terminal.ts'
import type { AddCommand } from './command.ts'
import { reportText } from './compress.ts'

export const addRun: AddCommand = (program) => {
  program
    .command('run')
    .description('carry out a recipe: quantize, export, evaluate')
    .argument('<recipe>', 'recipe.json')
    .option('--out <folder>', 'where the result goes (default: beside the recipe)')
    .option('--text <file>', 'held-out text to evaluate on')
    .option('--resume', 'continue where a run of this recipe stopped')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: { out?: string; text?: string; resume?: boolean; json?: boolean }) => {
      await runCommand(options, async ({ context, result }) => {
        const recipe = await readRecipe(file)
        const out = options.out ?? path.join(path.dirname(file), 'out')
        const input = { recipe, folder: path.join(out, 'job'), out, resume: options.resume ?? false, ...(options.text !== undefined && { text: options.text }) }
        result(await createEngine().run(input, context), reportText)
      })
    })
}
