/** @file The training of a recipe's correction, as the prediction of a run counts it. */
import type { CodecName } from '../../contract/options.ts'
import type { LayerChoice, Recipe } from '../../contract/recipe.ts'
import { Training } from '../../contract/training.ts'
import type { DecoderModel } from '../session/model.ts'
import { tableBytes } from './base/base.ts'
import { evaluationCount, heldOutCount } from './held-out.ts'
import { targetKind } from './objectives/objective.ts'
import { objectives } from './objectives/objectives.ts'
import { memoryLeft, predictMemory, type PredictedBase, type TrainingSize } from './predict.ts'
import { trainedNumbers } from './trained-numbers.ts'
import { trainings } from './trainings.ts'
import { writerBytes, writtenCount } from './written.ts'

export interface TrainedRun {
  readonly base: PredictedBase
  readonly size: TrainingSize
  /** Memory of the original while it writes windows; 0 where it does not. */
  readonly writerBytes: number
}

/** Tokens that keep the cores busy in one pass. */
const PASS_TOKENS = 512

/** Windows that go through the model side by side: a share of the batch without a rest, that keeps the cores busy and fits the limit of memory; else one. */
function microBatchOf(base: PredictedBase, size: Omit<TrainingSize, 'microBatch'>, memoryBytes: number | undefined): number {
  const fits = (microBatch: number): boolean => (memoryLeft(memoryBytes, predictMemory(base, { ...size, microBatch })) ?? 0) >= 0
  for (let count = Math.min(size.batch, Math.floor(PASS_TOKENS / size.length)); count > 1; count--) if (size.batch % count === 0 && fits(count)) return count
  return 1
}

/** What training a choice of formats and ranks will take; null where the correction is not trained. */
export function trainedRun(model: Pick<DecoderModel, 'layers' | 'spec' | 'elements'>, { correction, training, choice, data, memoryBytes }: Pick<Recipe, 'correction' | 'training' | 'data' | 'memoryBytes'> & { readonly choice: readonly LayerChoice[] }): TrainedRun | null {
  const own = trainings[correction]
  if (own === null) return null
  const { objective = own.objective, trainable = own.trainable, steps, batch, length, written } = Training.parse(training ?? {})
  const options = new Map(choice.map(({ name, option }) => [name, option as CodecName]))
  const codec = (layer: string): CodecName => options.get(layer) ?? options.get('embedding') ?? 'F16'
  const ranks = new Map(choice.map(({ name, rank }) => [name, rank]))
  const tokens = Math.min(length, model.spec.contextLength)
  const read = data === null ? 0 : Math.floor((data.samples * data.length) / tokens)
  const count = writtenCount(model, { written, objective, steps, batch, read, length: tokens, memoryBytes })
  const hasTeacher = targetKind(objectives[objective]({}), model.spec.blocks) !== null
  const base = { model, codec, tableBytes: tableBytes(model, codec('embedding')) ?? 0 }
  const size = {
    steps, batch, length: tokens, meanLength: tokens, judged: 1, isJudged: true, hasTeacher,
    evaluatedTokens: evaluationCount(steps) * heldOutCount(read) * tokens, writtenTokens: count * tokens, taughtTokens: hasTeacher ? (read + count) * tokens : 0,
    ...trainedNumbers({ model, codec }, (layer) => ranks.get(layer) ?? 0, trainable),
  }
  return { base, size: { ...size, microBatch: microBatchOf(base, size, memoryBytes) }, writerBytes: count === 0 ? 0 : writerBytes(model, tokens) }
}
