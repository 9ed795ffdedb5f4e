/**
 * @file What a run will take, before it runs: arithmetic of its passes over this machine's measured speed, and the sum of what
 * is resident at its widest moment. The report holds the outcome beside it.
 */
import type { DecoderModel } from './session/model.ts'
import { TABLE_BYTES } from './session/program.ts'
import type { LearnedRoundingName, Recipe } from '../contract/recipe.ts'
import type { Machine } from './job/machine.ts'
import { LOGIT_BYTES } from './evaluate/perplexity.ts'
import { pvOptions } from './quantize/learned/pv.ts'
import { feedsBack, isGuided } from './quantize/rounders/rounders.ts'
import { SAMPLES_TOGETHER } from './sensitivity/gradients/sample-gradients.ts'
import { signRoundOptions } from './quantize/learned/signround.ts'
import { predictTraining, trainingEfficiency } from './train/predict.ts'
import type { TrainedRun } from './train/predict-run.ts'

export interface RunSize {
  readonly windows: number
  readonly length: number
  readonly evaluationTokens: number
  readonly rounder: Recipe['rounder']
  readonly metric: string
  /** Most bytes in memory of what may wait on disk: hidden states, and weights that training does not need at once. */
  readonly parkedMost: number
  /** Codes learned block by block after rounding. */
  readonly learnedRounding?: LearnedRoundingName | undefined
  /** Training after all blocks are rounded; null for none. */
  readonly trained?: TrainedRun | null
}

/** Share of a dense product's speed that whole blocks reach (attention, norms, small layers). */
export const blockEfficiency = 0.4
/** The same for Gram matrices and for GPTQ. */
export const statisticsEfficiency = 0.5
export const roundingEfficiency = 0.15
/** Passes over the windows while quantizing: one a tap, one to go on, and one more for a head that is quantized first. */
const passes = 6
/** A run's GPTQ over that of a measurement. */
export const sweptFactor = 3
/** Forwards that weighing the tokens takes: forward, again, and a backward without gradients of weights. */
export const guidePasses = 4
/** Arrays as large as a window's logits that the runtime keeps from weighing the tokens. */
const guideLogits = 6
/** The process with its libraries, tokenizer and the garbage of small arrays, before any weight. */
const processBytes = 240e6
/** A table while it is measured: as read, as rounded, and its stored bytes. */
const tableCopies = 2.25
/** Hidden states parked for a scored position: its own of the result, and the source's of a window that is scored by half. */
const judgedStates = 3
/** ONNX Runtime's own buffers, in activations of a window. */
const activationShare = 14
/** Perturbed streams a layer has while divergences are measured, and windows of each. */
const streams = 2
const streamWindows = 4

/** Arrays of a block's weights that learning its codes takes: source, offset, gradient, start, moments. */
const learnedArrays = 6
/** Forwards of one window by block: a step reads its windows forward, again, backward, and for the gradient of the weights. */
const stepForwards = 5
const learnedPasses: Readonly<Record<LearnedRoundingName, (windows: number) => number>> = {
  signround: (windows) => signRoundOptions.steps * signRoundOptions.batch * stepForwards + 2 * windows,
  pv: (windows) => windows * (pvOptions.rounds * ((pvOptions.scaleSteps + 1) * stepForwards + 1) + 2),
}

/** Predicts time and peak memory of quantizing, exporting and evaluating. */
export function predictRun({ spec, layers }: Pick<DecoderModel, 'spec' | 'layers'>, { windows, length, evaluationTokens, rounder, metric, parkedMost, learnedRounding, trained = null }: RunSize, { flops }: Machine): { peakMemoryBytes: number; elapsedMs: number } {
  const inBlocks = layers.filter(({ block }) => block !== null)
  const blockWeights = inBlocks.reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
  const tableWeights = spec.vocabulary * spec.hidden
  const tokens = windows * length
  const attention = 4 * spec.blocks * spec.heads * spec.headSize * length
  const forward = 2 * blockWeights + attention
  const inputs = [spec.hidden, spec.heads * spec.headSize, spec.hidden, spec.intermediate]
  const gram = spec.blocks * inputs.reduce((sum, cols) => sum + cols * cols, 0)
  const rounding = feedsBack(rounder) ? layers.reduce((sum, { shape: [rows, cols] }) => sum + sweptFactor * 2 * rows * cols * cols + cols ** 3, 0) : 2000 * (blockWeights + tableWeights)
  const seconds =
    ((passes + (isGuided(rounder) ? guidePasses : 0)) * forward * tokens) / (flops * blockEfficiency) +
    (gram * tokens) / (flops * statisticsEfficiency) +
    rounding / (flops * roundingEfficiency) +
    (learnedRounding === undefined ? 0 : (learnedPasses[learnedRounding](windows) * forward * length) / (flops * blockEfficiency)) +
    (2 * (forward * 2 + 2 * tableWeights) * evaluationTokens) / (flops * blockEfficiency)
  const widest = Math.max(...inputs)
  const block = (blockWeights / spec.blocks) * 4
  const largest = Math.max(...inBlocks.map(({ shape: [rows, cols] }) => rows * cols)) * 4
  const table = tableWeights * 4
  const slot = length * spec.hidden * 4
  const parked = slot * (windows + (metric.startsWith('kl') ? layers.length * streams * streamWindows : 0))
  const activations = activationShare * length * Math.max(spec.intermediate, spec.hidden) * 4 + spec.heads * length * length * 8
  // The Hessians of a block, or of its widest layer the Hessian, the factor and what it is computed in.
  const statistics = windows === 0 ? 0 : Math.max(inputs.reduce((sum, cols) => sum + cols * cols * 8, 0), feedsBack(rounder) ? widest * widest * (8 + 4 + 8) : 0)
  // What is alive while blocks are measured and rounded, while tables are, and while the result is judged beside the source.
  const widestMoment = Math.max(
    block + largest + statistics + Math.min(parked, parkedMost),
    tableCopies * table + Math.min(parked, parkedMost),
    block + 2 * (Math.min(table, TABLE_BYTES) + LOGIT_BYTES) + judgedStates * evaluationTokens * spec.hidden * 4,
  )
  const guided = isGuided(rounder) && windows > 0 ? guideLogits * length * spec.vocabulary * 4 + Math.min(Math.min(windows, SAMPLES_TOGETHER) * (spec.blocks + 1) * slot, parkedMost) : 0
  const peakMemoryBytes = processBytes + activations + guided + widestMoment
  const learning = learnedRounding === undefined ? 0 : learnedArrays * (blockWeights / spec.blocks) * 4 + slot * windows
  const training = trained && predictTraining(trained.base, trained.size, { flops: flops * trainingEfficiency })
  const trainingBytes = training === null ? 0 : training.peakMemoryBytes - Math.max(0, training.parkableBytes - parkedMost)
  return {
    peakMemoryBytes: Math.round(Math.max(peakMemoryBytes + learning, trainingBytes, processBytes + (trained?.writerBytes ?? 0))),
    elapsedMs: Math.round(seconds * 1000) + (training?.elapsedMs ?? 0),
  }
}
