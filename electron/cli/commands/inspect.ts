/** @file halftone inspect: what is in a model, and what of it can be compressed. */
import { createEngine } from '../../engine/engine.ts'
import { modelPath } from '../../engine/model-path.ts'
import { grouped } from '../reasons.ts'
import { runCommand, sizeText, table } from '../terminal.ts'
import type { AddCommand } from './command.ts'

/** Names that converters make can be hundreds of letters long. */
const NAME_MOST = 56

function shortened(name: string): string {
  return name.length <= NAME_MOST ? name : `${name.slice(0, 16)}…${name.slice(17 - NAME_MOST)}`
}

export const addInspect: AddCommand = (program) => {
  program
    .command('inspect')
    .description('show what is in a model and what of it can be compressed')
    .argument('<model>', 'Hugging Face folder, GGUF file or ONNX file')
    .option('--json', 'print one JSON object')
    .action(async (model: string, options: { json?: boolean }) => {
      await runCommand(options, async ({ context, result }) => {
        result(await createEngine().inspect({ model: await modelPath(model) }, context), (summary) => {
          const rest = summary.tensors.filter((tensor) => tensor.reason !== null)
          return [
            `${summary.name}: ${summary.architecture}, ${(summary.parameters / 1e6).toPrecision(3)} M parameters, ${sizeText(summary.sizeBytes)} on disk, ${summary.blocks} blocks`,
            table(['tensor', 'type', 'shape', 'bytes', 'layers'], summary.tensors.map((tensor) => [shortened(tensor.name), tensor.type, tensor.shape.join(' × '), sizeText(tensor.bytes), tensor.layers.map(shortened).join(', ') || '–'])),
            `${summary.tensors.length - rest.length} of ${summary.tensors.length} tensors can be compressed.`,
            ...grouped(rest.map(({ reason }) => reason ?? '')).map(({ reason, count }) => `  not: ${count} tensors (${reason})`),
            ...summary.warnings.map((warning) => `warning: ${warning}`),
          ].join('\n')
        })
      })
    })
}
