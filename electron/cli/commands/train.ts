/** @file halftone train: fine-tunes a quantized model on a person's own data, its weights packed all the while. */
import { Option } from 'commander'
import { objectiveNames, type TrainInput, type TrainReport } from '../../contract/training.ts'
import { createEngine } from '../../engine/engine.ts'
import { trainedPath } from '../../engine/model-path.ts'
import { runCommand, sizeText, table } from '../terminal.ts'
import { byteCount, positiveInteger, type AddCommand } from './command.ts'
import { learningRate, trainables } from './training-options.ts'

/** What was learned, what it takes, and how the model answers now. */
export function trainText({ training, data, adapter, output, sizeBytes, bitsPerWeight, samples, curve, predicted, peakMemoryBytes, elapsedMs, model, warnings }: TrainReport): string {
  const { heldOut } = training
  const minutes = (ms: number): string => `${(ms / 60_000).toFixed(1)} min`
  return [
    [
      ...(adapter ? [`wrote ${adapter.gguf.path} and ${adapter.peft.path} (${sizeText(adapter.gguf.sizeBytes)}, ${adapter.parameters} numbers), for ${output?.path ?? model}`] : []),
      ...(output ? [`wrote ${output.path} (${sizeText(output.sizeBytes)})`] : []),
      `loss curve: ${curve.svg}`,
    ].join('\n'),
    table(['', 'before', 'after'], [
      ['loss on held-out examples', heldOut?.before.toFixed(4) ?? '–', heldOut?.after.toFixed(4) ?? '–'],
      ['size, adapter included', '', sizeText(sizeBytes)],
      ['bits per weight, adapter included', '', bitsPerWeight.toFixed(3)],
    ]),
    table(['', 'predicted', 'actual'], [
      ['peak memory', sizeText(predicted.peakMemoryBytes), sizeText(peakMemoryBytes)],
      ['time', minutes(predicted.elapsedMs), minutes(elapsedMs)],
    ]),
    `${training.steps} steps (${training.stopped === 'early' ? 'stopped early: held-out examples got no better' : 'all'}), best after step ${heldOut?.step ?? training.steps}; ${data.examples} examples, ${data.targets} of ${data.tokens} tokens learned${training.skipped > 0 ? `; ${training.skipped} bad batches left out` : ''}`,
    ...samples.map(({ prompt, expected, before, after }) => [prompt, `  before: ${before}`, `  after:  ${after}`, ...(expected === '' ? [] : [`  data:   ${expected}`])].join('\n')),
    ...warnings.map((warning) => `note: ${warning}`),
  ].join('\n\n')
}

/** A share such as 0.1, or the name of a file. */
function heldOut(text: string): number | string {
  const share = Number(text)
  return Number.isNaN(share) ? text : share
}

export const addTrain: AddCommand = (program) => {
  program
    .command('train')
    .description('fine-tune a quantized model on your own data; its weights stay packed')
    .argument('<model>', 'GGUF file, folder, or what compress wrote')
    .requiredOption('--data <file>', 'JSON lines, CSV or Parquet with text, prompt and completion, or messages')
    .requiredOption('--out <folder>')
    .option('--rank <n>', 'rank of new branches', positiveInteger, 16)
    .option('--alpha <n>', 'their alpha (default: the rank)', Number)
    .option('--adapter <file>', 'go on from the branches of a GGUF LoRA file or PEFT folder')
    .addOption(new Option('--objective <name>', 'what is minimized').choices(objectiveNames).default('ce'))
    .option('--trainable <list>', 'what is changed: adapters, scales, norms, codes', trainables, ['adapters'])
    .option('--reference <model>', 'the original model, for the objectives that learn from one')
    .option('--steps <n>', 'steps', positiveInteger, 200)
    .option('--batch <n>', 'windows of a step', positiveInteger, 8)
    .option('--micro-batch <n>', 'windows side by side', positiveInteger, 1)
    .option('--length <n>', 'most tokens of a window', positiveInteger, 512)
    .option('--rate <r>', 'peak learning rate (default: by the width of the model)', learningRate)
    .option('--held-out <share>', 'share of the examples to judge by, or a file of them', heldOut, 0.1)
    .option('--samples <n>', 'examples answered before and after', (text) => Math.max(0, Math.floor(Number(text))), 3)
    .option('--seed <n>', 'seed of new branches and of the order', Number, 0)
    .option('--memory <size>', 'most memory, such as 2GB', byteCount)
    .option('--disk <size>', "most disk for what is kept of the original's predictions", byteCount)
    .option('--resume', 'continue what was begun in --out')
    .option('--json', 'print one JSON object')
    .action(async (model: string, { json, memory, disk, rate, ...options }: Omit<TrainInput, 'model' | 'memoryBytes' | 'diskBytes' | 'learningRate'> & { json?: boolean; memory?: number; disk?: number; rate?: number }) => {
      await runCommand({ ...(json !== undefined && { json }) }, async ({ context, result }) => {
        const input = { ...options, model: await trainedPath(model), ...(memory !== undefined && { memoryBytes: memory }), ...(disk !== undefined && { diskBytes: disk }), ...(rate !== undefined && { learningRate: rate }) }
        result(await createEngine().train(input, context), trainText)
      })
    })
}
