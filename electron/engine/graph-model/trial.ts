/** @file Tries plans of a graph for real, as a run carries them out. */
import path from 'node:path'
import type { Context } from '../../contract/events.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { openJob } from '../job/job.ts'
import { createTrials, type Trials } from '../trial.ts'
import type { GraphModel } from './open.ts'
import { carryOut, dataOf } from './run.ts'

/** Trials of recipes of one graph and data, which `recipe` names. `text` as for a run. */
export async function openGraphTrials(model: GraphModel, recipe: Recipe, text: string | undefined, context: Context): Promise<Trials> {
  const data = await dataOf(model, { recipe, text }, context)
  return createTrials(async (tried, folder) => {
    const job = await openJob(path.join(folder, 'job'), tried, false, context)
    const { evaluation } = await carryOut(job, model, data, folder)
    await job.flush()
    return evaluation
  }, context)
}
