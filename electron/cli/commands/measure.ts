/** @file halftone measure: what each layer loses under each option, saved as sensitivity.json. */
import { createEngine } from '../../engine/engine.ts'
import { modelPath } from '../../engine/model-path.ts'
import { usualMetric, usualRounder } from '../../engine/usual.ts'
import type { MeasureInput } from '../../contract/engine.ts'
import type { Sensitivity } from '../../contract/sensitivity.ts'
import { metricNames } from '../../engine/sensitivity/metrics/metrics.ts'
import { runCommand, table } from '../terminal.ts'
import { byteCount, positiveInteger, ranks, type AddCommand } from './command.ts'
import { addGraphOptions, graphOptionsOf, lossOf, type GraphFlags } from './graph-options.ts'

/** The map as a table: layers down, options across, in the metric's unit. */
export function sensitivityText(sensitivity: Sensitivity): string {
  const options = [...new Set(sensitivity.layers.flatMap((layer) => Object.keys(layer.options)))]
  const smallest = (option: string): number => Math.min(...sensitivity.layers.map((layer) => (layer.options[option]?.bytes ?? Infinity) / layer.elements))
  options.sort((a, b) => smallest(a) - smallest(b))
  const rows = sensitivity.layers.map((layer) => [layer.name, layer.shape.join('×'), ...options.map((option) => layer.options[option]?.value.toExponential(2) ?? '–')])
  return table(['layer', 'shape', ...options], rows)
}

export const addMeasure: AddCommand = (program) => {
  addGraphOptions(program.command('measure'), true)
    .description('measure what each layer loses under each option')
    .argument('<model>')
    .option('--data <file>', 'calibration text, JSONL, CSV, Parquet, or a folder of them (ONNX graphs: NPZ, a folder of images, or JSONL); without it only --metric sqnr with --rounder nearest or search')
    .requiredOption('--out <file>', 'where sensitivity.json goes; continued where it is unfinished')
    .option('--metric <name>', `how a loss is measured: ${metricNames.join(', ')} (default: kl-scaled; of an ONNX graph that can be differentiated, fisher)`)
    .option('--probes <n>', 'draws of a Hessian trace (default: one a window)', positiveInteger)
    .option('--pairs <n>', 'also measure this many pairs of layers together, and raise the losses of layers that do harm to each other', Number, 0)
    .option('--spectrum <file>', 'draw the density of the loss Hessian’s eigenvalues (SVG, and JSON beside it)')
    .option('--rounder <name>', 'nearest, search, gptq, or guided: gptq with tokens weighed by gradients (default: guided; of an ONNX graph, gptq)')
    .option('--correct <name>', 'also measure low-rank corrections beside every option: eora, lq-lora, diagonal or svd', 'none')
    .option('--ranks <list>', 'their ranks (default: 4,8,16,32,64)', ranks)
    .option('--target <name>', 'gguf, onnx or safetensors: measure only the options it can hold')
    .option('--options <names>', 'measure only these, such as Q3_K,Q4_K', (text: string) => text.split(','))
    .option('--samples <n>', 'calibration windows', positiveInteger, 48)
    .option('--length <n>', 'tokens in a window', positiveInteger, 512)
    .option('--memory <size>', 'memory for parked activations, such as 2GB', byteCount)
    .option('--seed <n>', 'seed of the choice of windows', Number, 0)
    .option('--json', 'print one JSON object')
    .action(async (source: string, { json, metric, memory, correct, loss, imageSize, mean, std, ...options }: Omit<MeasureInput, 'model' | 'correction' | 'graph' | 'loss'> & GraphFlags & { json?: boolean; memory?: number; correct: NonNullable<MeasureInput['correction']> }) => {
      await runCommand({ ...(json !== undefined && { json }) }, async ({ context, result }) => {
        const model = await modelPath(source)
        result(await createEngine().measure({ model, metric: metric ?? await usualMetric(model), rounder: usualRounder(model), ...options, correction: correct, ...(memory !== undefined && { memoryBytes: memory }), ...lossOf(loss), ...graphOptionsOf({ ...(loss && { loss }), ...(imageSize && { imageSize }), ...(mean && { mean }), ...(std && { std }) }) }, context), sensitivityText)
      })
    })
}
