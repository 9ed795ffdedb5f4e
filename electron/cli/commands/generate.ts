/** @file halftone generate: text from any readable model. */
import type { GenerateInput } from '../../contract/engine.ts'
import { createEngine } from '../../engine/engine.ts'
import { modelPath, writtenAdapter } from '../../engine/model-path.ts'
import { runCommand } from '../terminal.ts'
import { nonNegative, positiveInteger, type AddCommand } from './command.ts'

export const addGenerate: AddCommand = (program) => {
  program
    .command('generate')
    .description('continue a text')
    .argument('<model>')
    .requiredOption('--prompt <text>')
    .option('--adapter <file>', 'add the branches of a GGUF LoRA file or PEFT folder')
    .option('--tokens <n>', 'tokens to generate', positiveInteger, 64)
    .option('--temperature <t>', '0 takes the most likely token', nonNegative, 0)
    .option('--top-p <p>', 'sample among the tokens that hold this share', nonNegative, 1)
    .option('--seed <n>', 'seed of the sampling', Number, 0)
    .option('--json', 'print one JSON object')
    .action(async (model: string, { json, ...options }: Omit<GenerateInput, 'model'> & { json?: boolean }) => {
      await runCommand({ ...(json !== undefined && { json }) }, async ({ context, result }) => {
        result(await createEngine().generate({ ...(await writtenAdapter(model)), ...options, model: await modelPath(model) }, context), ({ text, tokens, tokensPerSecond }) => `${options.prompt}${text}\n(${tokens} tokens, ${tokensPerSecond.toFixed(1)} a second)`)
      })
    })
}
