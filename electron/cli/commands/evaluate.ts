/** @file halftone evaluate: perplexity and divergence of any readable model. */
import type { EvaluateInput } from '../../contract/engine.ts'
import type { Evaluation } from '../../contract/report.ts'
import { createEngine } from '../../engine/engine.ts'
import { modelPath, writtenAdapter } from '../../engine/model-path.ts'
import { runCommand, sizeText, table } from '../terminal.ts'
import { byteCount, positiveInteger, type AddCommand } from './command.ts'
import { outputsText } from './compress.ts'
import { addImageOptions, graphOptionsOf, type GraphFlags } from './graph-options.ts'

/** The numbers of an evaluation, one a row. */
export function evaluationText(evaluation: Evaluation): string {
  const { perplexity, perplexityStderr = 0, klMean, klStderr, klMedian, kl99, sameTop, perplexityReference } = evaluation
  if (evaluation.outputs !== undefined) return `${sizeText(evaluation.sizeBytes)} (${evaluation.sizeBytes} bytes), ${outputsText(evaluation.outputs, evaluation)}`
  return table(['', 'value'], [
    ['size', `${sizeText(evaluation.sizeBytes)} (${evaluation.sizeBytes} bytes)`],
    ['bits per weight', evaluation.bitsPerWeight.toFixed(3)],
    ...(perplexity === undefined ? [] : [['perplexity', `${perplexity.toFixed(4)} ± ${perplexityStderr.toFixed(4)}`]]),
    ...(perplexityReference === undefined ? [] : [['perplexity of the reference', perplexityReference.toFixed(4)]]),
    ...(klMean === undefined || klStderr === undefined ? [] : [['mean KL divergence', `${klMean.toFixed(6)} ± ${klStderr.toFixed(6)}`]]),
    ...(klMedian === undefined || kl99 === undefined ? [] : [['median, 99 % KL', `${klMedian.toFixed(6)}, ${kl99.toFixed(6)}`]]),
    ...(sameTop === undefined ? [] : [['same most likely token', `${(sameTop * 100).toFixed(2)} %`]]),
    ['tokens scored', String(evaluation.tokens)],
  ])
}

export const addEvaluate: AddCommand = (program) => {
  const command = program
    .command('evaluate')
    .description('perplexity of a model, and its divergence from a reference')
    .argument('<model>', 'folder, GGUF file, ONNX folder or ONNX graph')
    .requiredOption('--text <file>', 'text to score; for an ONNX graph its samples: NPZ, a folder of images, or JSONL')
    .option('--reference <model>', 'the unquantized model (an ONNX graph needs it)')
    .option('--adapter <file>', 'add the branches of a GGUF LoRA file or PEFT folder')
    .option('--length <n>', 'tokens in a window; its second half is scored', positiveInteger, 512)
    .option('--windows <n>', 'windows to score (default: all of the text)', positiveInteger)
    .option('--memory <size>', 'memory for parked activations, such as 2GB', byteCount)
    .option('--json', 'print one JSON object')
  addImageOptions(command)
    .action(async (model: string, { json, memory, ...options }: Omit<EvaluateInput, 'model' | 'graph'> & GraphFlags & { json?: boolean; memory?: number }) => {
      await runCommand({ ...(json !== undefined && { json }) }, async ({ context, result }) => {
        const { reference } = options
        result(await createEngine().evaluate({ ...(await writtenAdapter(model)), ...options, model: await modelPath(model), ...(reference !== undefined && { reference: await modelPath(reference) }), ...graphOptionsOf(options), ...(memory !== undefined && { memoryBytes: memory }) }, context), evaluationText)
      })
    })
}
