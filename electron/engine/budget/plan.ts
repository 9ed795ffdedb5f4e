/**
 * @file plan: from one saved measurement and a size to a recipe. The limit on the layers is the budget less the bytes that
 * no choice changes; the exporter has the last word on the whole file's size, and a choice it finds too large is solved
 * again under a limit lowered by the excess.
 */
import type { z } from 'zod'
import { PlanInput, type Plan } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Target } from '../../contract/options.ts'
import { rounders, type LayerChoice, type Recipe } from '../../contract/recipe.ts'
import { optionAt, type Allocation, type Group } from './allocation.ts'
import { allocators } from './allocators.ts'
import { bitsPerWeight, budgetText, targetBytes } from './budget.ts'
import { paretoCurve, type CurvePoint } from './exact.ts'
import { planGroups, type PlanGroups } from './groups.ts'
import { impossibleBudget } from './impossible.ts'
import { targetLayers, type TargetLayer } from './target-layers.ts'
import { optionOrder, uniformPlans } from './uniform.ts'
import { planWarnings } from './warnings.ts'

export interface PlanDependencies {
  /** Name and version of the program, for the recipe. */
  readonly tool: string
  /** Weights in the whole model. */
  readonly elements: number
  /** Bytes of the model at 16 bits a weight; 2·elements where it is missing. */
  readonly sourceBytes16?: number
  /** Bytes of the target's file that no choice changes: header, metadata, tokenizer, norms, biases, alignment. */
  readonly fixedBytes: (target: Target) => number | Promise<number>
  /** Exact bytes of the whole file for a choice; fixedBytes and the layers' bytes where it is missing. */
  readonly fileBytes?: (target: Target, choice: readonly LayerChoice[]) => number | Promise<number>
  readonly predict: (choice: readonly LayerChoice[]) => { readonly peakMemoryBytes: number; readonly elapsedMs: number }
  readonly seed?: number
  readonly memoryBytes?: number
}

type Request = z.output<typeof PlanInput>

const maxCurvePoints = 500 // more than a chart has pixels to tell apart
const maxAttempts = 8 // the file's own overhead changes by a few bytes a layer, so the second attempt fits as a rule

/** The best recipe under the budget, the whole curve and the uniform baselines. */
export async function plan(input: PlanInput, dependencies: PlanDependencies, { signal }: Pick<Context, 'signal'>): Promise<Plan> {
  const begun = performance.now()
  const request = PlanInput.parse(input)
  const { layers, estimated } = targetLayers(request.measured, request.target)
  const grouped = planGroups(layers, request.pins)
  const fixed = await dependencies.fixedBytes(request.target)
  const solved = await solveWithin(request, dependencies, layers, grouped, fixed, signal)
  const toPoint = ({ cost, loss }: CurvePoint): { bytes: number; bitsPerWeight: number; loss: number } =>
    ({ bytes: cost + fixed, bitsPerWeight: bitsPerWeight(cost + fixed, dependencies.elements), loss })
  return {
    recipe: recipeOf(request, dependencies, solved),
    curve: thinCurve(paretoCurve(grouped.groups).points, solved.allocation).map(toPoint),
    uniform: uniformPlans(grouped.groups, layers).map(({ option, ...point }) => ({ option, ...toPoint(point) })),
    warnings: planWarnings({ layers, estimated, followers: grouped.followers, allocation: solved.allocation }),
    elapsedMs: performance.now() - begun,
  }
}

interface Solved {
  readonly allocation: Allocation
  readonly choice: readonly LayerChoice[]
  readonly sizeBytes: number
}

/** Solves until the exporter agrees that the file is within the budget. */
async function solveWithin(input: Request, dependencies: PlanDependencies, layers: readonly TargetLayer[], grouped: PlanGroups, fixed: number, signal: AbortSignal): Promise<Solved> {
  const budget = targetBytes(input.budget, dependencies)
  const problem = { groups: grouped.groups, scores: scoresOf(grouped.groups, layers), order: optionOrder(layers) }
  let limit = budget - fixed
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    signal.throwIfAborted()
    const allocation = await allocators[input.allocator]({ ...problem, limit }, signal)
    if (allocation === null) throw impossibleBudget({ budget: input.budget, budgetBytes: budget, overhead: budget - limit, elements: dependencies.elements, allocator: input.allocator }, grouped)
    const choice = layerChoices(grouped.groups, allocation, layers)
    const sizeBytes = (await dependencies.fileBytes?.(input.target, choice)) ?? fixed + allocation.cost
    if (sizeBytes <= budget) return { allocation, choice, sizeBytes }
    limit = allocation.cost - (sizeBytes - budget)
  }
  throw new AppError('budget-impossible', `Budget ${budgetText(input.budget)}: no choice was found whose whole file is within ${budget} bytes`, { hint: 'Raise the budget a little.' })
}

/** One entry a layer, in the measurement's order. */
function layerChoices(groups: readonly Group[], { choice }: Allocation, layers: readonly TargetLayer[]): LayerChoice[] {
  const optionOf = new Map(groups.flatMap((group, at) => group.members.map((name) => [name, optionAt(group, choice[at]).option] as const)))
  return layers.map(({ name, options }) => {
    const option = optionOf.get(name) ?? ''
    const cost = options.get(option)
    return { name, option, rank: 0, bytes: cost?.bytes ?? 0, predictedLoss: cost?.value ?? 0 }
  })
}

/** Mean Hessian trace of a group's most sensitive layer; without traces the loss per weight of its narrowest option. */
function scoresOf(groups: readonly Group[], layers: readonly TargetLayer[]): number[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const score = ({ trace, elements, options }: TargetLayer): number =>
    (trace ?? Math.max(...[...options.values()].map(({ value }) => value))) / elements
  const hasTraces = layers.every(({ trace }) => trace !== null)
  return groups.map(({ members }) => Math.max(...members.map((name) => {
    const layer = byName.get(name)
    return layer === undefined ? 0 : score(hasTraces ? layer : { ...layer, trace: null })
  })))
}

/** At most `maxCurvePoints`, evenly over the curve, always with both ends and the chosen point. */
function thinCurve(points: readonly CurvePoint[], chosen: CurvePoint): CurvePoint[] {
  const wanted = maxCurvePoints - 1
  const every = points.length <= wanted ? points : Array.from({ length: wanted }, (_, at) => points[Math.round((at * (points.length - 1)) / (wanted - 1))])
  const others = every.filter(({ cost }) => cost !== chosen.cost)
  return [...others, { cost: chosen.cost, loss: chosen.loss }].sort((a, b) => a.cost - b.cost)
}

function recipeOf({ model, measured, target, budget, pins, correction }: Request, { tool, elements, predict, seed, memoryBytes }: PlanDependencies, { allocation, choice, sizeBytes }: Solved): Recipe {
  const { path, sha256, samples, tokens } = measured.data
  return {
    version: 1,
    tool,
    model: { path: model, sha256: measured.model.sha256 },
    data: samples === undefined || tokens === undefined ? null : { path, sha256, samples, length: Math.max(1, Math.round(tokens / samples)) },
    target,
    budget,
    pins,
    metric: measured.metric,
    rounder: rounders.find((name) => name === measured.rounder) ?? 'gptq',
    correction,
    seed: seed ?? 0,
    ...(memoryBytes !== undefined && { memoryBytes }),
    choice: [...choice],
    predicted: { sizeBytes, bitsPerWeight: bitsPerWeight(sizeBytes, elements), loss: allocation.loss, ...predict(choice) },
  }
}
