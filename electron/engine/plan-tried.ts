/** @file A plan whose candidates may be carried out and evaluated: for a quality to keep, and for allocators that compare for real. */
import type { z } from 'zod'
import type { Plan, PlanInput, QualityName } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import type { Context } from '../contract/events.ts'
import type { Recipe } from '../contract/recipe.ts'
import { plan, type PlanDependencies } from './budget/plan.ts'
import { qualities } from './budget/qualities.ts'
import { planToQuality } from './budget/quality.ts'
import type { Trials } from './trial.ts'

/** What allocators that try candidates compare them by where no quality is asked for, the first that the model has. */
const usual: readonly QualityName[] = ['kl', 'sqnr']

/** The best plan under the request's limits; where a quality is asked for, the smallest that was seen to keep it. `open` begins the trials, once. */
export async function planTried(request: z.output<typeof PlanInput>, dependencies: Omit<PlanDependencies, 'measure'>, open: (recipe: Recipe) => Promise<Trials>, context: Context): Promise<Plan> {
  const { quality, measured: { data }, text } = request
  if (quality !== undefined && data.samples === undefined && text === undefined) throw new AppError('bad-request', `--quality ${quality.name}: found no samples to try plans on, expected some`, { hint: 'Give held-out samples with --text.' })
  let opened: Promise<Trials> | undefined
  let name = quality?.name
  async function measure(recipe: Recipe): Promise<number> {
    opened ??= open(recipe)
    const evaluation = await (await opened).evaluate(recipe)
    name ??= usual.find((one) => !Number.isNaN(qualities[one].loss(evaluation))) ?? 'kl'
    const loss = qualities[name].loss(evaluation)
    if (!Number.isNaN(loss)) return loss
    const had = (Object.keys(qualities) as QualityName[]).filter((one) => !Number.isNaN(qualities[one].loss(evaluation)))
    throw new AppError('bad-request', `--quality ${name}: this model has no such quality, it has ${had.join(', ')}`, { hint: 'Ask for one of those.' })
  }
  const isEvaluable = data.samples !== undefined || text !== undefined
  const own = { ...dependencies, ...(isEvaluable && { measure }) }
  const made = quality === undefined ? await plan(request, own, context) : (await planToQuality(request, quality, own, measure, context)).plan
  const tried = await opened
  if (tried === undefined || name === undefined) return made
  return { ...made, measured: { name, value: qualities[name].turned(await measure(made.recipe)), evaluations: tried.count() } }
}
