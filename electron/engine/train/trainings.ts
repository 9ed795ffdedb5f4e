/** @file What the trained corrections of a recipe minimize and change. */
import type { Recipe } from '../../contract/recipe.ts'
import type { ObjectiveName, TrainableSet } from '../../contract/training.ts'

export interface RecipeTraining {
  readonly objective: ObjectiveName
  readonly trainable: readonly TrainableSet[]
  /** Weight of the cross-entropy of the data; the objective's own where it is missing. */
  readonly ceWeight?: number
}

/** Beside the original's predictions: enough to mend the perplexity, too little to draw a model of few parameters to the data. */
export const SMALL_CE_WEIGHT = 0.008

/** What a correction trains; null for those that are closed forms. */
export const trainings: Readonly<Record<Recipe['correction'], RecipeTraining | null>> = {
  none: null, eora: null, 'lq-lora': null, diagonal: null, svd: null,
  lrec: { objective: 'lrec', trainable: ['adapters', 'scales', 'norms'] },
  rilq: { objective: 'rilq', trainable: ['adapters', 'scales', 'norms'] },
  scales: { objective: 'lrec', trainable: ['scales', 'norms'], ceWeight: SMALL_CE_WEIGHT },
  codes: { objective: 'lrec', trainable: ['codes', 'scales', 'norms'], ceWeight: SMALL_CE_WEIGHT },
}
