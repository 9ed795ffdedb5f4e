/**
 * @file plan: from one saved measurement and a size to a recipe. The limit on the layers is the budget less the bytes beside
 * them. The exporter has the last word on the whole file's size: its overhead depends a little on the choice, so the problem
 * is solved again until both agree.
 */
import type { z } from 'zod'
import { PlanInput, type Plan } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import { parseOption, type Target } from '../../contract/options.ts'
import type { LayerChoice, Recipe } from '../../contract/recipe.ts'
import { rounderNamed } from '../quantize/rounders/rounders.ts'
import { correctionOf } from '../correct/corrections.ts'
import { cheapest, optionAt, totals, type Allocation, type Group } from './allocation.ts'
import { allocators } from './allocators.ts'
import { bitsPerWeight, budgetText, targetBytes } from './budget.ts'
import { costConstraints, type LimitCosts } from './constraints.ts'
import { paretoCurve, type CurvePoint } from './exact.ts'
import { planGroups, type PlanGroups } from './groups.ts'
import { impossibleBudget } from './impossible.ts'
import { allocateMilp, costConstraint, type Constraint } from './milp.ts'
import { targetLayers, type RankChoice, type SizeOption, type TargetLayer } from './target-layers.ts'
import { optionOrder, uniformPlans } from './uniform.ts'
import { planWarnings } from './warnings.ts'

export interface PlanDependencies extends LimitCosts {
  /** Name and version of the program, for the recipe. */
  readonly tool: string
  /** Weights in the whole model. */
  readonly elements: number
  /** Bytes of the model at 16 bits a weight; 2·elements where it is missing. */
  readonly sourceBytes16?: number
  /** Bytes of the target's file that no choice changes: header, metadata, tokenizer, norms, biases, alignment. */
  readonly fixedBytes: (target: Target) => number | Promise<number>
  /** Bytes of a layer under an option, where it is not what the target's layout for language models has. */
  readonly optionBytes?: SizeOption
  /** Exact bytes of the whole file for a choice; fixedBytes and the layers' bytes where it is missing. */
  readonly fileBytes?: (target: Target, choice: readonly LayerChoice[]) => number | Promise<number>
  /** The curve of some groups, where it may be known already. */
  readonly curve?: (groups: readonly Group[]) => Promise<readonly CurvePoint[]>
  /** Really evaluates a recipe, smaller is better; needed by allocators that try candidates. */
  readonly measure?: (recipe: Recipe) => Promise<number>
  readonly predict: (choice: readonly LayerChoice[]) => { readonly peakMemoryBytes: number; readonly elapsedMs: number }
  readonly seed?: number
  readonly memoryBytes?: number
}

type Request = z.output<typeof PlanInput>

const maxCurvePoints = 500 // more than a chart has pixels to tell apart
const maxAttempts = 8 // the overhead changes by a few bytes a layer, so the second or third choice is final as a rule

/** The best recipe under the budget, the whole curve and the uniform baselines. */
export async function plan(input: PlanInput, dependencies: PlanDependencies, { signal }: Pick<Context, 'signal'>): Promise<Plan> {
  const begun = performance.now()
  const request = PlanInput.parse(input)
  const { layers, estimated } = targetLayers(request.measured, request.target, rankChoice(request), dependencies.optionBytes)
  const grouped = planGroups(layers, request.pins)
  const solved = await solveWithin(request, dependencies, layers, grouped, signal)
  const overhead = solved.sizeBytes - solved.allocation.cost
  const curve = await (dependencies.curve?.(grouped.groups) ?? paretoCurve(grouped.groups).then(({ points }) => points))
  const toPoint = ({ cost, loss }: CurvePoint): { bytes: number; bitsPerWeight: number; loss: number } =>
    ({ bytes: cost + overhead, bitsPerWeight: bitsPerWeight(cost + overhead, dependencies.elements), loss })
  return {
    recipe: recipeOf(request, dependencies, solved),
    curve: thinCurve(curve, solved.allocation).map(toPoint),
    uniform: uniformPlans(grouped.groups, layers).map(({ option, ...point }) => ({ option, ...toPoint(point) })),
    warnings: planWarnings({ layers, estimated, followers: grouped.followers, allocation: solved.allocation }),
    elapsedMs: performance.now() - begun,
  }
}

/** Ranks are chosen from where the recipe will correct; `ranks` restricts them. */
function rankChoice({ correction, ranks, adapterStorage }: Request): RankChoice {
  const corrects = correctionOf(correction) !== null
  return { storage: adapterStorage, allows: (rank) => (corrects ? (ranks?.includes(rank) ?? true) : rank === 0) }
}

interface Solved {
  readonly allocation: Allocation
  readonly choice: readonly LayerChoice[]
  readonly sizeBytes: number
}

/**
 * Solves, asks the exporter for the file's size, and solves again with the overhead that choice has, until it no longer
 * changes. Of the choices within the budget the best is taken.
 */
async function solveWithin(request: Request, dependencies: PlanDependencies, layers: readonly TargetLayer[], grouped: PlanGroups, signal: AbortSignal): Promise<Solved> {
  const budget = targetBytes(request.budget, dependencies)
  const constraints = costConstraints(request.limits, grouped.groups, layers, dependencies)
  const solve = openSolver(request, dependencies, layers, grouped, constraints, signal)
  const sizeOf = async (allocation: Pick<Allocation, 'choice' | 'cost'>, overhead: number): Promise<number> =>
    (await dependencies.fileBytes?.(request.target, layerChoices(grouped.groups, allocation, layers))) ?? overhead + allocation.cost
  const seen = new Set<string>()
  let overhead = await dependencies.fixedBytes(request.target)
  let best: Solved | null = null
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    signal.throwIfAborted()
    const allocation = await solve(budget - overhead)
    if (allocation === null) {
      if (best !== null) break
      const choice = cheapest(grouped.groups)
      const { cost } = totals(grouped.groups, choice)
      const least = (await sizeOf({ choice, cost }, overhead)) - cost
      if (least >= overhead) throw impossibleBudget({ budget: request.budget, budgetBytes: budget, overhead: least, elements: dependencies.elements, allocator: request.allocator, constraints }, grouped)
      overhead = least
      continue
    }
    const sizeBytes = await sizeOf(allocation, overhead)
    if (sizeBytes <= budget && (best === null || allocation.loss < best.allocation.loss)) best = { allocation, choice: layerChoices(grouped.groups, allocation, layers), sizeBytes }
    const key = allocation.choice.join()
    const found = sizeBytes - allocation.cost
    // A choice that fits is final where it comes again or would; one that does not fit gets less room each time.
    if (sizeBytes <= budget && (found === overhead || seen.has(key))) break
    overhead = seen.has(key) ? overhead + (sizeBytes - budget) : found
    seen.add(key)
  }
  if (best !== null) return best
  throw new AppError('budget-impossible', `Budget ${budgetText(request.budget)}: no choice was found whose whole file is within ${budget} bytes`, { hint: 'Raise the budget a little.' })
}

/** The request's allocator over its groups; other limits than the size make it the integer programme. */
function openSolver(request: Request, dependencies: PlanDependencies, layers: readonly TargetLayer[], { groups }: PlanGroups, constraints: readonly Constraint[], signal: AbortSignal): (limit: number) => Promise<Allocation | null> {
  if (constraints.length > 0) return (limit) => allocateMilp(groups, [costConstraint(groups, limit), ...constraints], { signal })
  const { measure } = dependencies
  const problem = { groups, scores: scoresOf(groups, layers), order: optionOrder(layers), measure: measure && (async (choice: readonly number[]) => measure(recipeOf(request, dependencies, { allocation: totals(groups, choice), choice: layerChoices(groups, { choice }, layers), sizeBytes: 0 }))) }
  return (limit) => allocators[request.allocator]({ ...problem, limit }, signal)
}

/** One entry a layer, in the measurement's order. */
function layerChoices(groups: readonly Group[], { choice }: Pick<Allocation, 'choice'>, layers: readonly TargetLayer[]): LayerChoice[] {
  const optionOf = new Map(groups.flatMap((group, at) => group.members.map((name) => [name, optionAt(group, choice[at]).option] as const)))
  return layers.map(({ name, options }) => {
    const option = optionOf.get(name) ?? ''
    const cost = options.get(option)
    const { codec, rank } = parseOption(option)
    return { name, option: codec, rank, bytes: cost?.bytes ?? 0, predictedLoss: cost?.value ?? 0 }
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

function recipeOf({ model, measured, target, budget, pins, correction, adapterStorage, learnedRounding, training }: Request, { tool, elements, predict, seed, memoryBytes }: PlanDependencies, { allocation, choice, sizeBytes }: Omit<Solved, 'allocation'> & { readonly allocation: Pick<Allocation, 'loss'> }): Recipe {
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
    ...(measured.graph !== undefined && { graph: measured.graph }),
    rounder: rounderNamed(measured.rounder),
    ...(learnedRounding && { learnedRounding }),
    correction,
    ...(correction !== 'none' && { adapterStorage }),
    ...(training && { training }),
    seed: seed ?? 0,
    ...(memoryBytes !== undefined && { memoryBytes }),
    choice: [...choice],
    predicted: { sizeBytes, bitsPerWeight: bitsPerWeight(sizeBytes, elements), loss: allocation.loss, ...predict(choice) },
  }
}
