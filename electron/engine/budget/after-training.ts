/**
 * @file What a plan's losses become where its correction is trained: training takes away most of what the layers of the blocks lose, and
 * nothing of what the tables lose, which it leaves as they are. So bytes move from the blocks to the embedding and the head.
 */
import type { Recipe } from '../../contract/recipe.ts'
import { trainings } from '../train/trainings.ts'
import type { TargetLayer } from './target-layers.ts'

/** The layers with the losses that are expected after the training of a correction; as they are where it trains nothing. */
export function afterTraining(layers: readonly TargetLayer[], correction: Recipe['correction']): readonly TargetLayer[] {
  const left = trainings[correction]?.left ?? 1
  if (left === 1) return layers
  return layers.map((layer) => layer.block === null ? layer : { ...layer, options: new Map([...layer.options].map(([name, cost]) => [name, { ...cost, value: cost.value * left, stderr: cost.stderr * left }])) })
}
