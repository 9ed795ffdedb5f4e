/** @file What the trained corrections of a recipe minimize and change. */
import type { Recipe } from '../../contract/recipe.ts'
import type { ObjectiveName, TrainableSet } from '../../contract/training.ts'

export interface RecipeTraining {
  readonly objective: ObjectiveName
  readonly trainable: readonly TrainableSet[]
  /** Share of the loss of the blocks' layers that is expected to be left. */
  readonly left: number
}

/** What a correction trains; null for those that are closed forms. */
export const trainings: Readonly<Record<Recipe['correction'], RecipeTraining | null>> = {
  none: null, eora: null, 'lq-lora': null, diagonal: null, svd: null,
  lrec: { objective: 'lrec', trainable: ['adapters', 'scales', 'norms'], left: 1 },
  rilq: { objective: 'rilq', trainable: ['adapters', 'scales', 'norms'], left: 1 },
  scales: { objective: 'lrec', trainable: ['scales', 'norms'], left: 1 },
  codes: { objective: 'lrec', trainable: ['codes', 'scales', 'norms'], left: 0.3 },
}
