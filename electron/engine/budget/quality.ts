/**
 * @file The smallest plan that meets a quality ("keep KL below 0.02"): bisection over the trade-off curve, each point tried by
 * a real evaluation, so that nothing depends on the predicted losses but the order of the points. Points closer than a share of
 * their size are not told apart: their difference is below what an evaluation can see, and each costs a whole run.
 */
import { PlanInput, type Plan, type QualityName } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Recipe } from '../../contract/recipe.ts'
import { smallestWithin } from './bisection.ts'
import { plan, type PlanDependencies } from './plan.ts'
import { qualities } from './qualities.ts'

/** Growth from one size that is tried to the next. */
const sizeStep = 0.01

export interface QualityResult {
  readonly plan: Plan
  readonly measured: number
  readonly evaluations: number
}

/** `measure` evaluates a recipe, as the quality's loss. The input's budget is the largest size tried. @throws AppError budget-impossible where even that is not good enough */
export async function planToQuality(input: PlanInput, { name, value: wanted }: { readonly name: QualityName; readonly value: number }, dependencies: PlanDependencies, measure: (recipe: Recipe) => Promise<number>, context: Pick<Context, 'signal'>): Promise<QualityResult> {
  const request = PlanInput.parse(input)
  const { turned } = qualities[name]
  const target = turned(wanted)
  const largest = await plan(input, dependencies, context)
  const sizes = distinct(largest.curve.map(({ bytes }) => bytes).filter((bytes) => bytes <= largest.recipe.predicted.sizeBytes))
  const tried = new Map<number, QualityResult>()
  const attempt = async (point: number): Promise<QualityResult> => {
    context.signal.throwIfAborted()
    // The file names its choice and its budget, so a point's own size may be a few bytes off the curve: half a step is room enough.
    const value = Math.min(Math.ceil(sizes[point] * (1 + sizeStep / 2)), largest.recipe.predicted.sizeBytes)
    const made = point === sizes.length - 1 ? largest : await plan({ ...request, budget: { kind: 'bytes', value } }, dependencies, context)
    const result = { plan: made, measured: await measure(made.recipe), evaluations: tried.size + 1 }
    tried.set(point, result)
    return result
  }
  const found = await smallestWithin(sizes.length, async (point) => (await attempt(point)).measured <= target)
  const best = found === null ? undefined : tried.get(found)
  if (best !== undefined) return { ...best, evaluations: tried.size }
  const reached = tried.get(sizes.length - 1)?.measured ?? Infinity
  throw new AppError('budget-impossible', `The quality ${name}=${wanted} is not met within the budget: the largest plan tried reaches ${turned(reached).toPrecision(3)}`, { hint: 'Raise the budget, or accept a lower quality.', details: { reached: turned(reached) } })
}

/** Of growing sizes the largest and, going down, each that is smaller by the step. */
function distinct(sizes: readonly number[]): number[] {
  const kept: number[] = []
  for (const size of sizes.toReversed()) if (size * (1 + sizeStep) <= (kept.at(-1) ?? Infinity)) kept.push(size)
  return kept.reverse()
}
