/**
 * @file Training as a stage of a job: the quantized layers and the closed-form branches of the job are trained against the original
 * model on windows of the calibration data and, of small models, on windows that the model writes. lrec and rilq train branches where ranks were chosen, and always the stored scales
 * and the norms, which cost no bytes; scales trains these two alone, codes the rounding itself beside them.
 */
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { Training, type ObjectiveName, type TrainableSet, type TrainingSummary } from '../../contract/training.ts'
import type { Adapter, LayerAdapter } from '../correct/adapter.ts'
import { jobAdapter } from '../correct/job-adapter.ts'
import { roundBranch } from '../correct/round-branch.ts'
import type { Job } from '../job/job.ts'
import { codecOf } from '../quantize/quantize-decoder.ts'
import type { DecoderModel } from '../session/model.ts'
import { baseOfBlobs } from './base/base.ts'
import { evaluateEvery, splitWindows } from './held-out.ts'
import { readTrained, writeTrained, type JobTrained } from './job-trained.ts'
import { memoryLeft, predictMemory } from './predict.ts'
import { trainedRun } from './predict-run.ts'
import { trainAdapters } from './train-adapters.ts'
import type { Trained } from './trained.ts'
import { trainings } from './trainings.ts'
import type { TrainingWindow } from './window.ts'
import { jobWritten, writtenCount } from './written.ts'

/** Whether the recipe asks for training. */
export function isTrained({ correction }: Pick<Recipe, 'correction'>): boolean {
  return trainings[correction] !== null
}

const asRead = (tokens: Int32Array): TrainingWindow => ({ tokens })
const asWritten = (tokens: Int32Array): TrainingWindow => ({ tokens, isWritten: true })

async function startOf(job: Job, { layers }: DecoderModel): Promise<Adapter> {
  const source = jobAdapter(job, layers, job.recipe.choice)
  const branches = new Map<string, LayerAdapter>()
  for (const layer of source?.branches.keys() ?? []) if (source) branches.set(layer, await source.read(layer))
  return branches
}

/** A summary of a run for reports. */
export function summaryOf({ steps, updates, stopped, skipped, heldOut }: Trained, objective: ObjectiveName, trainable: readonly TrainableSet[]): TrainingSummary {
  return { objective, trainable: [...trainable], steps, updates, stopped, skipped: skipped.length, heldOut }
}

/**
 * Trains what the job has quantized on windows of the recipe's data, or reads what it trained before; null where the recipe's
 * correction is not trained.
 * @throws AppError bad-recipe without calibration data, training-diverged, disk-full
 */
export async function trainJob(job: Job, model: DecoderModel, readWindows: (length: number, most: number) => Promise<readonly Int32Array[]>): Promise<JobTrained | null> {
  const { recipe, context, folder } = job
  const training = trainings[recipe.correction]
  const run = trainedRun(model, recipe)
  if (training === null || run === null) return null
  const before = await readTrained(job, model.layers, recipe.choice)
  if (before !== null) return before
  if (recipe.data === null) throw new AppError('bad-recipe', `recipe: the correction "${recipe.correction}" learns from calibration data, and the recipe has none`, { hint: 'Give a calibration text, or choose another correction.' })
  const { objective = training.objective, trainable = training.trainable, ceWeight = training.ceWeight, windows: most, length, written: asked, ...pace } = Training.parse(recipe.training ?? {})
  const tokens = Math.min(length, model.spec.contextLength)
  const { windows: read, heldOut } = splitWindows(await readWindows(tokens, most))
  const count = writtenCount(model, { written: asked, objective, ...pace, read: read.length, length: tokens, memoryBytes: recipe.memoryBytes })
  const written = await jobWritten(job, model, { windows: read, count, length: tokens, seed: recipe.seed, memoryBytes: recipe.memoryBytes })
  const adapter = await startOf(job, model)
  const base = baseOfBlobs(model, new Map(recipe.choice.map(({ name, option }) => [name, codecOf(option)])), (layer) => job.readTensor(layer))
  const sets = trainable.filter((set) => set !== 'adapters' || adapter.size > 0)
  const left = memoryLeft(recipe.memoryBytes, predictMemory(run.base, run.size))
  const trained = await trainAdapters({
    base, teacher: model, source: model.readWeight, adapter, windows: [...read.map(asRead), ...written.map(asWritten)], heldOut: heldOut.map(asRead), folder: path.join(folder, 'training'), memoryBytes: left === undefined ? undefined : Math.max(0, left),
    options: { ...pace, microBatch: run.size.microBatch, patience: 0, evaluateEvery: evaluateEvery(pace.steps), objective, trainable: sets, seed: recipe.seed, ...(ceWeight !== undefined && { weights: { ce: ceWeight } }) },
  }, context)
  const storage = recipe.adapterStorage ?? 'float16'
  const rounded = new Map<string, LayerAdapter>()
  for (const [layer, branch] of trained.adapter) rounded.set(layer, await roundBranch(branch, storage, recipe.target))
  await writeTrained(job, { ...trained, adapter: rounded }, summaryOf(trained, objective, sets))
  return readTrained(job, model.layers, recipe.choice)
}
