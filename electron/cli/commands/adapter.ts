/** @file halftone adapter: an adapter as a file of another format, or merged into its model. */
import type { AdaptInput, AdaptReport } from '../../contract/engine.ts'
import { createEngine } from '../../engine/engine.ts'
import { runCommand, sizeText } from '../terminal.ts'
import { positiveInteger, type AddCommand } from './command.ts'
import { evaluationText } from './evaluate.ts'

/** What was written, and for a merge how far it is from the model with its adapter. */
export function adaptText({ path, sizeBytes, evaluation }: AdaptReport): string {
  return [`wrote ${path} (${sizeText(sizeBytes)})`, ...(evaluation ? ['', 'against the model with its adapter:', evaluationText(evaluation)] : [])].join('\n')
}

export const addAdapter: AddCommand = (program) => {
  program
    .command('adapter')
    .description('convert an adapter, or merge it into its model; merging into a narrow format loses most of it')
    .argument('<model>', 'the model it was made for: folder or GGUF file')
    .argument('<adapter>', 'GGUF LoRA file or PEFT folder')
    .requiredOption('--as <form>', 'gguf or peft (the adapter alone), merged (16 bits) or requantized (the model with it)')
    .requiredOption('--out <path>', 'a file for gguf, else a folder')
    .option('--option <name>', 'format of the layers when requantized, such as Q4_K (default: as they are)')
    .option('--text <file>', 'compare a merge with the model and its adapter on this text')
    .option('--windows <n>', 'windows of it to score (default: all)', positiveInteger)
    .option('--json', 'print one JSON object')
    .action(async (model: string, adapter: string, { json, as: form, ...options }: Omit<AdaptInput, 'model' | 'adapter' | 'form'> & { json?: boolean; as: AdaptInput['form'] }) => {
      await runCommand({ ...(json !== undefined && { json }) }, async ({ context, result }) => {
        result(await createEngine().adapt({ model, adapter, form, ...options }, context), adaptText)
      })
    })
}
