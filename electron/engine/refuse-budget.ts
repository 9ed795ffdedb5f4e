/** @file Refuses a budget that no choice of formats meets before anything is measured: a plan over a map without losses. */
import type { Context } from '../contract/events.ts'
import type { Target } from '../contract/options.ts'
import type { Budget } from '../contract/recipe.ts'
import type { Sensitivity } from '../contract/sensitivity.ts'
import { planModel } from './plan-model.ts'
import { describeLayer } from './sensitivity/measure-decoder.ts'
import { measuredOptions } from './sensitivity/measured-options.ts'
import { tool } from './tool.ts'
import { createWorkspace } from './workspace.ts'

export interface WantedBudget {
  readonly model: string
  readonly target: Target
  readonly budget: Budget
  readonly pins: Readonly<Record<string, string>>
  /** Formats to choose among, where not the usual ones. */
  readonly options?: readonly string[] | undefined
}

/** In the place of a hash: as long as one. */
const unread = '0'.repeat(64)

/**
 * @throws AppError budget-impossible, with the smallest possible size and the pins that hold it up; a budget within the few bytes
 * that the names of data take in the file is let through, for the plan to judge
 */
export async function refuseBudget({ model, target, budget, pins, options }: WantedBudget, context: Pick<Context, 'signal'>): Promise<void> {
  const workspace = createWorkspace()
  const quiet = { ...context, report: () => undefined }
  try {
    const measured = await workspace.withModel(model, context, ({ model: opened }): Promise<Sensitivity> => Promise.resolve({
      version: 1, tool, model: { path: model, sha256: unread }, data: { path: '', sha256: '' }, metric: 'sqnr', rounder: 'nearest', complete: true,
      layers: opened.layers.map((layer) => {
        const { options: held, excluded } = measuredOptions([target], layer, options)
        return describeLayer(layer, held, excluded, () => ({ value: 0, stderr: 0 }))
      }),
    }))
    await planModel(workspace, { model, measured, target, budget, pins: { ...pins } }, quiet)
  } finally {
    await workspace.close()
  }
}
