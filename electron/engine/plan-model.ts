/**
 * @file Plans for a model: what the solver asks of the machine and the model (exact file sizes, predictions, times of products on
 * this machine, real evaluations) put together from the measurement, the model's files and what the request wants.
 */
import path from 'node:path'
import type { z } from 'zod'
import { PlanInput, type Plan } from '../contract/engine.ts'
import type { Context } from '../contract/events.ts'
import { parseOption, type Target } from '../contract/options.ts'
import { EVALUATION_WINDOWS } from './calibrate/calibration.ts'
import { multiplyingLayers, type Milliseconds } from './budget/constraints.ts'
import { measureLatencies } from './budget/latency.ts'
import type { PlanDependencies } from './budget/plan.ts'
import { formatWarnings } from './budget/warnings.ts'
import { targetLayers } from './budget/target-layers.ts'
import { exporters } from './export/exporters.ts'
import { provenanceOf } from './export/exporter.ts'
import { cacheFolder } from './job/cache-folder.ts'
import { makeFolder } from './job/files.ts'
import { planTried } from './plan-tried.ts'
import { predictRun } from './predict.ts'
import { rounderNamed } from './quantize/rounders/rounders.ts'
import { ggufWarnings } from './session/inspect.ts'
import { defaultParkedBytes } from './session/parking.ts'
import { tool } from './tool.ts'
import { openTrials } from './trial.ts'
import { trainedRun } from './train/predict-run.ts'
import type { Opened, Workspace } from './workspace.ts'

type Request = z.output<typeof PlanInput>

/** Positions scored after a run where a text is given or there is no data to judge on, for the prediction: those of the bundled validation text. */
const textTokens = 25_000

/** Times of every option the map has for the target's layers, from this machine's table. */
async function millisecondsOf({ measured, target }: Request, context: Context): Promise<Milliseconds> {
  const timed = multiplyingLayers(targetLayers(measured, target).layers).map(({ shape, options }) => ({ shape, options: [...new Set([...options.keys()].map((name) => parseOption(name).codec))] }))
  const folder = cacheFolder()
  await makeFolder(folder)
  return measureLatencies(timed, { file: path.join(folder, 'latencies.json') }, context)
}

async function dependenciesOf(workspace: Workspace, { model, tokenizer: openTokenizer, remember }: Opened, request: Request, context: Context): Promise<PlanDependencies> {
  const { measured, target, budget, pins, correction, adapterStorage, learnedRounding, training, limits } = request
  const tokenizer = await openTokenizer()
  const { path: data, sha256, samples = 0, tokens = 0, seed = 0 } = measured.data
  const length = samples > 0 ? Math.round(tokens / samples) : 0
  const provenance = provenanceOf({
    tool, model: { path: request.model, sha256: measured.model.sha256 }, data: samples > 0 ? { path: data, sha256, samples, length } : null, target, budget, pins, metric: measured.metric,
    rounder: rounderNamed(measured.rounder), ...(learnedRounding && { learnedRounding }), correction, ...(correction !== 'none' && { adapterStorage }), ...(training && { training }), seed,
  })
  const source = { model, tokenizer, provenance }
  const machine = await workspace.machine()
  const evaluationTokens = request.text === undefined && length > 0 ? EVALUATION_WINDOWS * Math.floor(length / 2) : textTokens
  const size = { windows: samples, length, evaluationTokens, rounder: provenance.rounder, metric: measured.metric, parkedMost: defaultParkedBytes() }
  return {
    tool,
    elements: model.elements,
    seed,
    curve: workspace.curve,
    // Where the search for the size begins: the same whatever the budget and the pins, so that it is known after the first plan.
    fixedBytes: (wanted: Target) => remember(JSON.stringify([wanted, measured.data, provenance.rounder, correction]), async () => {
      const choice = model.layers.map(({ name, shape: [rows, cols] }) => ({ name, option: 'F16', rank: 0, bytes: rows * cols * 2, predictedLoss: 0 }))
      const plain = { ...source, provenance: { ...provenance, budget: { kind: 'ratio' as const, value: 1 }, pins: {} } }
      return (await exporters[wanted].size(plain, choice)) - choice.reduce((sum, { bytes }) => sum + bytes, 0)
    }),
    fileBytes: (wanted, choice) => exporters[wanted].size(source, choice),
    predict: (choice) => predictRun(model, { ...size, learnedRounding, trained: trainedRun(model, { correction, training, choice, data: provenance.data }) }, machine),
    ...(limits.ms !== undefined && target === 'onnx' && { milliseconds: await millisecondsOf(request, context) }),
  }
}

/** The best plan under the request's limits; where a quality is asked for, the smallest that was seen to keep it. */
export async function planModel(workspace: Workspace, input: z.input<typeof PlanInput>, context: Context): Promise<Plan> {
  const request = PlanInput.parse(input)
  return workspace.withModel(request.model, context, async (opened) => {
    const dependencies = await dependenciesOf(workspace, opened, request, context)
    const made = await planTried(request, dependencies, (recipe) => openTrials(opened.model, recipe, request.text, context), context)
    return { ...made, warnings: [...made.warnings, ...formatWarnings(made.recipe.choice), ...(request.target === 'gguf' ? ggufWarnings(opened.model) : [])] }
  })
}
