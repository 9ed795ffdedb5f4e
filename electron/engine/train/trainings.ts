/** @file What the trained corrections of a recipe minimize and change. */
import type { Recipe } from '../../contract/recipe.ts'
import type { ObjectiveName, TrainableSet } from '../../contract/training.ts'

export interface RecipeTraining {
  readonly objective: ObjectiveName
  readonly trainable: readonly TrainableSet[]
}

/** What a correction trains; null for those that are closed forms. */
export const trainings: Readonly<Record<Recipe['correction'], RecipeTraining | null>> = {
  none: null, eora: null, 'lq-lora': null, diagonal: null, svd: null,
  lrec: { objective: 'lrec', trainable: ['adapters', 'scales', 'norms'] },
  rilq: { objective: 'rilq', trainable: ['adapters', 'scales', 'norms'] },
  scales: { objective: 'lrec', trainable: ['scales', 'norms'] },
  codes: { objective: 'lrec', trainable: ['codes', 'scales', 'norms'] },
}
