/** @file A plan for an ONNX graph: the same solver, with the sizes of stock operators' parts and of the exact file. */
import type { z } from 'zod'
import type { Plan, PlanInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import { plan } from '../budget/plan.ts'
import { provenanceOf, type Provenance } from '../export/exporter.ts'
import { weightsFileBytes } from '../export/onnx-weights-file.ts'
import { measureMachine } from '../job/machine.ts'
import { tool } from '../tool.ts'
import { checkLayers, openGraphModel, type GraphModel } from './open.ts'
import { graphOptionBytes } from './storage.ts'

/** The process with its libraries and the runtime's arenas, before any weight. */
const processBytes = 220e6
/** Copies of the model alive at once: its message, the runtime's own, and outputs. */
const modelCopies = 4
/** Rows of statistics a column, and what of a product's speed statistics and rounding reach. */
const rowsPerColumn = 4
const efficiency = 0.15

/** Time and memory of a run, roughly: statistics and rounding by their products, a second for what does not grow. */
async function predictGraph({ layers, sizeBytes }: GraphModel): Promise<{ peakMemoryBytes: number; elapsedMs: number }> {
  const { flops } = await measureMachine()
  const work = layers.reduce((sum, { shape: [rows, cols], groups }) => sum + (2 * rowsPerColumn + 2) * groups * cols ** 3 + 4 * rows * cols ** 2, 0)
  const widest = layers.reduce((most, { shape: [, cols], groups }) => Math.max(most, 12 * groups * cols ** 2), 0)
  return { peakMemoryBytes: Math.round(processBytes + modelCopies * sizeBytes + widest), elapsedMs: Math.round(1000 + (work / (flops * efficiency)) * 1000) }
}

/** Solves a plan for a graph. */
export async function planGraph(parsed: z.output<typeof PlanInput>, context: Context): Promise<Plan> {
  const { model: source, measured, target, budget, pins, correction, learnedRounding } = parsed
  if (target !== 'onnx') throw new AppError('bad-request', `--target ${target}: an ONNX graph is written as an ONNX graph`, { hint: 'Leave --target out, or give onnx.' })
  if (learnedRounding !== undefined) throw new AppError('bad-request', `--rounder ${learnedRounding}: learned rounding is for language models`, { hint: 'Use gptq, search or nearest for an ONNX graph.' })
  const model = await openGraphModel(source)
  checkLayers(model)
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]))
  const missing = model.layers.find(({ name }) => !measured.layers.some((layer) => layer.name === name))
  if (missing !== undefined || measured.layers.some(({ name }) => !byName.has(name))) {
    throw new AppError('measurement-mismatch', `${source}: found other layers than in the sensitivity map${missing === undefined ? '' : ` (it lacks ${missing.name})`}; expected a map of this model`, { hint: 'Measure this model again.' })
  }
  const { path, sha256, samples = 0, tokens = 0, seed = 0 } = measured.data
  const provenance: Provenance = provenanceOf({
    tool, model: { path: source, sha256: measured.model.sha256 }, data: samples > 0 ? { path, sha256, samples, length: Math.max(1, Math.round(tokens / samples)) } : null, target, budget, pins, metric: measured.metric,
    rounder: measured.rounder === 'nearest' || measured.rounder === 'search' ? measured.rounder : 'gptq', correction, seed,
  })
  const sizeOf = (choice: readonly LayerChoice[]): Promise<number> => weightsFileBytes({ model, choice, provenance })
  const predicted = await predictGraph(model)
  return plan(parsed, {
    tool,
    elements: model.elements,
    seed,
    optionBytes(_target, layer, option) {
      const own = byName.get(layer.name)
      return own === undefined ? { reason: 'is no layer of this model' } : graphOptionBytes(own, option)
    },
    async fixedBytes() {
      const choice = model.layers.map((layer) => {
        const size = graphOptionBytes(layer, 'F16')
        return { name: layer.name, option: 'F16', rank: 0, bytes: 'bytes' in size ? size.bytes : 0, predictedLoss: 0 }
      })
      return (await sizeOf(choice)) - choice.reduce((sum, { bytes }) => sum + bytes, 0)
    },
    fileBytes: (_target, choice) => sizeOf(choice),
    predict: () => predicted,
  }, context)
}
