/** @file Refuses a budget that no choice of formats meets before anything is measured: a plan over a map without losses. */
import type { z } from 'zod'
import { PlanInput } from '../contract/engine.ts'
import type { Context } from '../contract/events.ts'
import { parseOption, type Target } from '../contract/options.ts'
import type { Budget } from '../contract/recipe.ts'
import type { MeasuredLayer } from '../contract/sensitivity.ts'
import { optionsOf } from './graph-model/measure.ts'
import { bytesOf, describeGraphLayer } from './graph-model/measure-graph.ts'
import { checkLayers, isGraphFile, openGraphModel } from './graph-model/open.ts'
import { planGraph } from './graph-model/plan.ts'
import { planModel } from './plan-model.ts'
import { describeLayer } from './sensitivity/measure-decoder.ts'
import { measuredOptions } from './sensitivity/measured-options.ts'
import type { DecoderModel } from './session/model.ts'
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
export async function refuseBudget(wanted: WantedBudget, context: Pick<Context, 'signal'>): Promise<void> {
  const { model, target, budget } = wanted
  const pins = Object.fromEntries(Object.entries(wanted.pins).map(([layer, option]) => [layer, parseOption(option).codec])) // a correction only adds bytes
  const quiet = { ...context, report: () => undefined }
  const request = (layers: readonly MeasuredLayer[]): z.output<typeof PlanInput> => PlanInput.parse({
    model, target, budget, pins, measured: { version: 1, tool, model: { path: model, sha256: unread }, data: { path: '', sha256: '' }, metric: 'sqnr', rounder: 'nearest', complete: true, layers: [...layers] },
  })
  const workspace = createWorkspace()
  try {
    if (isGraphFile(model)) await planGraph(workspace, request(await graphLayers(wanted)), quiet)
    else await planModel(workspace, request(await workspace.withModel(model, context, (opened) => Promise.resolve(decoderLayers(opened.model, wanted)))), quiet)
  } finally {
    await workspace.close()
  }
}

const noLoss = { value: 0, stderr: 0 }

function decoderLayers(model: DecoderModel, { target, options }: WantedBudget): readonly MeasuredLayer[] {
  return model.layers.map((layer) => {
    const { options: held, excluded } = measuredOptions([target], layer, options)
    return describeLayer(layer, held, excluded, () => noLoss)
  })
}

async function graphLayers({ model, options }: WantedBudget): Promise<readonly MeasuredLayer[]> {
  const opened = await openGraphModel(model)
  checkLayers(opened)
  return opened.layers.map((layer) => {
    const { options: held, excluded } = optionsOf(layer, options)
    return describeGraphLayer(layer, excluded, Object.fromEntries(held.map((option) => [option, { bytes: bytesOf(layer, option), ...noLoss }])))
  })
}
