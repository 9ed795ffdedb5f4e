/**
 * @file What training will take, before it begins: the sum of what is resident, and the passes of a step over the speed that this
 * machine has. The memory model is INT2.1's (Chai et al. 2023): packed weights, four arrays for every trained number, one state a block,
 * one block's activations, one piece of the logits. States, and the weights of all blocks but one, may wait on disk.
 */
import { kernels } from '../../../kernels/kernels.ts'
import { linears, type DecoderSpec } from '../graph/decoder/spec.ts'
import type { Base } from './base/base.ts'
import { piecesOf } from './program/packed-program.ts'
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
  /** Weights whose own gradient is taken, for their codes or for the scales of their groups. */
  readonly gradedWeights?: number
  readonly isJudged: boolean
  /** Tokens of all evaluations on held-out windows together, where that is known. */
  readonly evaluatedTokens?: number
  readonly hasTeacher: boolean
  /** Tokens that the original writes for the run, and those of all windows that it is asked about. */
  readonly writtenTokens?: number
  readonly taughtTokens?: number
}

export interface TrainingMemory {
  /** With everything in memory. */
  readonly peakMemoryBytes: number
  /** What of it may wait on disk: the inputs of the blocks, and the weights of all of them but the largest. */
  readonly parkableBytes: number
}

export interface TrainingPrediction extends TrainingMemory {
  readonly elapsedMs: number
}

/** The process with its libraries, compiled graphs, and arrays that wait to be collected. */
const PROCESS_BYTES = 225e6
/** Values, gradient and two moments; where windows are held out the best values are kept beside them. */
const ARRAYS_OF_TRAINED = 4
/** Arrays of a block's widths alive at once while it is recomputed and its gradient taken. */
const BLOCK_ARRAYS = 3
/** The same of a part of the attention's scores; the probabilities of all parts are kept beside them. */
const SCORE_ARRAYS = 4
/** Arrays of a piece of the logits alive at once. */
const LOGIT_ARRAYS = 8
/** Passes of a step in forwards: forward, recomputation, and a backward of little more than the input's gradient. */
export const FORWARDS = 3.2
/** Forwards that a written token takes: a position at a time, products are thin and keys and values are read again. */
const WRITING_FORWARDS = 3
/** Share of a dense product's speed that training's blocks reach, where their own was not measured. */
export const trainingEfficiency = 0.45

/** The model and the formats of its layers: all that a prediction asks of a base. */
export type PredictedBase = Pick<Base, 'codec' | 'tableBytes'> & { readonly model: Pick<Base['model'], 'layers' | 'spec'> }

/** Bytes a layer takes in memory as the program holds it. */
function layerBytes(base: PredictedBase, layer: string, [rows, cols]: readonly [number, number]): number {
  const format = kernels().planeFormat(base.codec(layer))
  if (format === undefined) return rows * cols * 4
  const groups = rows * (format.group === 0 ? 1 : cols / format.group)
  return rows * Math.ceil((cols * format.bits) / 8) + groups * (format.zeros ? 8 : 4)
}

/** Bytes of each block's weights. */
function blockBytes(base: PredictedBase): readonly number[] {
  const sums = new Map<number, number>()
  for (const { name, block, shape } of base.model.layers) if (block !== null) sums.set(block, (sums.get(block) ?? 0) + layerBytes(base, name, shape))
  return [...sums.values()]
}

/** Operations of a forward of one token through one block, in a window of `length`. */
export function blockOperations({ layers, spec }: PredictedBase['model'], length: number): number {
  const weights = layers.filter(({ block }) => block !== null).reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
  return (2 * weights) / spec.blocks + 4 * spec.heads * spec.headSize * length
}

/** Bytes of what is alive while a block's gradient is taken. */
function activationBytes({ layers, spec }: { readonly layers: Base['model']['layers']; readonly spec: DecoderSpec }, microBatch: number, length: number): number {
  const widths = linears(spec).map((short) => layers.find(({ name }) => name === `blocks.0.${short}`)?.shape[0] ?? 0).reduce((sum, width) => sum + width, 0)
  const scores = microBatch * spec.heads * length * length * 4
  return BLOCK_ARRAYS * microBatch * length * (widths + 3 * spec.hidden) * 4 + scores + SCORE_ARRAYS * (scores / piecesOf(spec))
}

/** Predicts the peak memory of a training run. */
export function predictMemory(base: PredictedBase, size: Omit<TrainingSize, 'steps' | 'batch' | 'meanLength' | 'judged'>): TrainingMemory {
  const { spec } = base.model
  const tokens = size.microBatch * size.length
  const blocks = blockBytes(base)
  const inBlocks = blocks.reduce((sum, bytes) => sum + bytes, 0)
  const states = spec.blocks * tokens * spec.hidden * 4
  const logits = LOGIT_ARRAYS * Math.min(tokens * spec.vocabulary * 4, Math.max(LOGIT_BYTES, ROWS_MIN * spec.vocabulary * 4))
  const tables = layerBytes(base, 'head', [spec.vocabulary, spec.hidden]) + base.tableBytes + (size.hasTeacher ? spec.vocabulary * spec.hidden * 4 : 0)
  const trained = (ARRAYS_OF_TRAINED + (size.isJudged ? 1 : 0)) * size.trained * 4 + (size.codes ?? 0) * 2
  return {
    peakMemoryBytes: Math.round(PROCESS_BYTES + inBlocks + tables + trained + activationBytes(base.model, size.microBatch, size.length) + logits + states),
    parkableBytes: Math.round(states + inBlocks - Math.max(...blocks)),
  }
}

/** What is left of a memory limit for what may wait on disk, below 0 where the rest does not fit; undefined without a limit. */
export function memoryLeft(limit: number | undefined, { peakMemoryBytes, parkableBytes }: TrainingMemory): number | undefined {
  return limit === undefined ? undefined : limit - (peakMemoryBytes - parkableBytes)
}

/** Predicts peak memory and time of a training run; `flops` are the operations a second that its blocks reach. */
export function predictTraining(base: PredictedBase, size: TrainingSize, { flops }: { readonly flops: number }): TrainingPrediction {
  const { spec } = base.model
  const forward = spec.blocks * blockOperations(base.model, size.meanLength) + 2 * spec.vocabulary * spec.hidden * size.judged * (size.hasTeacher ? 2 : 1)
  const trained = size.meanLength * size.batch * size.steps
  const forwards = FORWARDS * trained + (size.evaluatedTokens ?? 0) + WRITING_FORWARDS * (size.writtenTokens ?? 0) + (size.taughtTokens ?? 0)
  const operations = forward * forwards + 2 * (size.gradedWeights ?? 0) * trained
  return { ...predictMemory(base, size), elapsedMs: Math.round((operations / flops) * 1000) }
}
