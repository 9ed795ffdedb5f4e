/**
 * @file What training will take, before it begins: the sum of what is resident, and the passes of a step over this machine's speed.
 * The memory model is INT2.1's (Chai et al. 2023): packed weights, four arrays for every trained number, one state a block, one
 * block's activations, one piece of the logits.
 */
import { kernels } from '../../../kernels/kernels.ts'
import { linears } from '../graph/decoder/spec.ts'
import type { Machine } from '../job/machine.ts'
import type { Base } from './base/base.ts'
import { LOGIT_BYTES, ROWS_MIN } from './program/pass.ts'

export interface TrainingSize {
  readonly steps: number
  readonly batch: number
  readonly microBatch: number
  /** Tokens of the longest window, and of a window on average. */
  readonly length: number
  readonly meanLength: number
  /** Share of positions at which something is learned. */
  readonly judged: number
  /** Numbers that are trained, and how many of them are codes. */
  readonly trained: number
  readonly codes?: number
  readonly isJudged: boolean
  readonly hasTeacher: boolean
}

export interface TrainingPrediction {
  readonly peakMemoryBytes: number
  readonly elapsedMs: number
  /** What parked states take of the memory; they may go to disk. */
  readonly parkedBytes: number
}

/** The process with its libraries, before any weight. */
const PROCESS_BYTES = 170e6
/** Values, gradient and two moments; where windows are held out the best values are kept beside them. */
const ARRAYS_OF_TRAINED = 4
/** Arrays of a block's widths alive at once while it is recomputed and its gradient taken. */
const BLOCK_ARRAYS = 4
/** Arrays of a piece of the logits alive at once. */
const LOGIT_ARRAYS = 8
/** Passes of a step in forwards: forward, recomputation, and a backward of twice the cost at most. */
const FORWARDS = 3.2
/** Share of a dense product's speed that whole blocks over packed weights reach. */
const EFFICIENCY = 0.35

/** The model and the formats of its layers: all that a prediction asks of a base. */
export type PredictedBase = Pick<Base, 'codec'> & { readonly model: Pick<Base['model'], 'layers' | 'spec'> }

/** Bytes a layer takes in memory as the program holds it. */
function layerBytes(base: PredictedBase, layer: string, [rows, cols]: readonly [number, number]): number {
  const format = kernels().planeFormat(base.codec(layer))
  if (format === undefined) return rows * cols * 4
  const groups = rows * (format.group === 0 ? 1 : cols / format.group)
  return rows * Math.ceil((cols * format.bits) / 8) + groups * (format.zeros ? 8 : 4)
}

/** Bytes of all weights that stay resident. */
export function residentWeightBytes(base: PredictedBase): number {
  const { layers, spec } = base.model
  const inBlocks = layers.filter(({ block }) => block !== null).reduce((sum, { name, shape }) => sum + layerBytes(base, name, shape), 0)
  return inBlocks + layerBytes(base, 'head', [spec.vocabulary, spec.hidden])
}

/** Predicts peak memory and time of a training run. */
export function predictTraining(base: PredictedBase, size: TrainingSize, { flops }: Pick<Machine, 'flops'>): TrainingPrediction {
  const { spec, layers } = base.model
  const tokens = size.microBatch * size.length
  const widths = linears(spec).map((short) => layers.find(({ name }) => name === `blocks.0.${short}`)?.shape[0] ?? 0).reduce((sum, width) => sum + width, 0)
  const attention = size.microBatch * spec.heads * size.length * size.length * 4 * BLOCK_ARRAYS
  const activations = BLOCK_ARRAYS * tokens * (widths + 3 * spec.hidden) * 4 + attention
  const logits = LOGIT_ARRAYS * Math.max(LOGIT_BYTES, Math.min(ROWS_MIN, tokens) * spec.vocabulary * 4)
  const parkedBytes = spec.blocks * tokens * spec.hidden * 4
  const blockWeights = layers.filter(({ block }) => block !== null).reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
  const head = spec.vocabulary * spec.hidden
  const teacher = size.hasTeacher ? head * 4 : 0
  const perToken = 2 * blockWeights + 4 * spec.blocks * spec.heads * spec.headSize * size.length + 2 * head * size.judged * (size.hasTeacher ? 2 : 1)
  const ofCodes = (size.codes ?? 0) * 2
  const seconds = ((FORWARDS * perToken + ofCodes) * size.meanLength * size.batch * size.steps) / (flops * EFFICIENCY)
  return {
    peakMemoryBytes: Math.round(PROCESS_BYTES + residentWeightBytes(base) + (ARRAYS_OF_TRAINED + (size.isJudged ? 1 : 0)) * size.trained * 4 + (size.codes ?? 0) * 2 + teacher + activations + logits + parkedBytes),
    elapsedMs: Math.round(seconds * 1000),
    parkedBytes,
  }
}
