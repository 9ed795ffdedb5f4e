/**
 * @file The default allocator: the whole trade-off curve by dynamic programming, and the proved optimum for one limit.
 * Curve: every trade-off where the states can be held (small models, or costs with a common unit); for larger problems the
 * choices that are optimal for some λ of the relaxation: one for every hull step, each the proved optimum at its own cost.
 * One limit: the relaxation's λ and a feasible choice bound the optimum from both sides; options and states that cannot
 * beat the feasible choice are dropped (reduced-cost fixing), and what is left, the core, is solved exactly.
 */
import { cheapest, optionAt, tolerance, totals, type Allocation, type Group } from './allocation.ts'
import { commonUnit, denseStates } from './dense.ts'
import { allocateGreedy } from './greedy.ts'
import { choiceOf, paretoStates, type States } from './pareto.ts'
import { lagrangianBound, multiplierAt, relax, undominated, type Relaxation } from './relaxation.ts'

/** States of all stages together up to which the curve is exact: some 50 ms and 20 MB. */
const maxCurveStates = 3_000_000
/** Merging a state takes about that many times as long as updating an entry of the dense table. */
const mergeCost = 4
/** States a stage of the core may have before its search is given up for the best choice known. */
const maxCoreStates = 200_000

export interface CurvePoint {
  readonly cost: number
  readonly loss: number
}

/** Trade-offs worth making, by growing cost and falling loss. */
export interface Curve {
  readonly points: readonly CurvePoint[]
  /** True where no trade-off is missing; else each point is the optimum at its cost, but points between hull steps are left out. */
  readonly isExact: boolean
  /** The option index of each group at a point. */
  choiceAt(point: number): number[]
}

/** The Pareto curve of Σ cost and Σ loss; `limit` leaves out what costs more. Empty where nothing fits. */
export async function paretoCurve(groups: readonly Group[], { limit = Infinity, maxStates = maxCurveStates }: { limit?: number; maxStates?: number } = {}): Promise<Curve> {
  const range = groups.reduce((sum, group) => sum + costRange(group), 0)
  const unit = commonUnit(groups)
  const room = limit + tolerance(limit)
  if (unit > 0 && (range / unit + 1) * groups.length <= maxStates) return curveOf(await denseStates(groups, unit, range / unit + 1), room)
  const later = suffixSums(groups.map((group) => optionAt(group, cheapest([group])[0]).cost))
  const states = await paretoStates(groups, (at, cost) => cost + later[at + 1] <= room, Math.ceil(maxStates / (mergeCost * Math.max(1, groups.length))))
  return states === null ? hullCurve(groups, relax(groups), room) : curveOf(states, room)
}

function costRange(group: Group): number {
  const costs = undominated(group).map((index) => optionAt(group, index).cost)
  return Math.max(...costs) - Math.min(...costs)
}

function curveOf(states: States, room: number): Curve {
  const { last } = states
  const points: CurvePoint[] = []
  for (let state = 0; state < last.length && last.cost[state] <= room; state++) points.push({ cost: last.cost[state], loss: last.loss[state] })
  return { points, isExact: true, choiceAt: (point) => choiceOf(states, point) }
}

function hullCurve(groups: readonly Group[], { start, steps }: Relaxation, room: number): Curve {
  const points = [totals(groups, start)]
  for (const { cost, gain } of steps) {
    const last = points[points.length - 1]
    points.push({ cost: last.cost + cost, loss: last.loss - gain })
  }
  const choiceAt = (point: number): number[] => {
    const choice = [...start]
    for (const { group, to } of steps.slice(0, point)) choice[group] = to
    return choice
  }
  return { points: points.filter(({ cost }) => cost <= room), isExact: false, choiceAt }
}

/** sums[i] = Σ_{k >= i} values[k]; one longer than `values`. */
function suffixSums(values: readonly number[]): Float64Array {
  const sums = new Float64Array(values.length + 1)
  for (let i = values.length - 1; i >= 0; i--) sums[i] = sums[i + 1] + values[i]
  return sums
}

/**
 * The choice of least loss within the limit; null where even the cheapest does not fit. `start` is a choice within the limit
 * known beforehand. Where the core is too large the best known choice comes back, with the lower bound that remains.
 */
export async function solveExact(groups: readonly Group[], limit: number, start?: readonly number[]): Promise<Allocation | null> {
  const greedy = allocateGreedy(groups, limit)
  if (greedy === null) return null
  let best = [...greedy.choice]
  let upper = greedy.loss
  if (start !== undefined && totals(groups, start).loss < upper) {
    best = [...start]
    upper = totals(groups, start).loss
  }
  const multiplier = multiplierAt(groups, relax(groups), limit)
  const bound = lagrangianBound(groups, multiplier, limit)
  const core = fixOptions(groups, multiplier, bound, upper)
  const better = await solveCore(core.groups, limit, multiplier, upper)
  const lowerBound = better === 'too large' ? bound : Infinity
  if (better !== 'too large' && better !== null) best = better.map((option, at) => core.original[at][option])
  const sum = totals(groups, best)
  return { choice: best, ...sum, lowerBound: Math.min(sum.loss, lowerBound) }
}

/** Leaves out every option with which the bound rises above the best known loss: no better choice has it. */
function fixOptions(groups: readonly Group[], multiplier: number, bound: number, upper: number): { groups: Group[]; original: number[][] } {
  const original = groups.map((group) => {
    const kept = undominated(group)
    const reduced = kept.map((index) => optionAt(group, index).loss + multiplier * optionAt(group, index).cost)
    const least = Math.min(...reduced)
    return kept.filter((_, k) => bound + reduced[k] - least <= upper + slack(upper))
  })
  return { original, groups: groups.map((group, at) => ({ ...group, options: original[at].map((index) => optionAt(group, index)) })) }
}

/** Rounding of the bound must not cut off the optimum itself. */
function slack(loss: number): number {
  return Math.abs(loss) * 1e-9
}

/** The best choice below `upper`, null where there is none. */
async function solveCore(groups: readonly Group[], limit: number, multiplier: number, upper: number): Promise<number[] | null | 'too large'> {
  const room = limit + tolerance(limit)
  // Groups whose options differ most in reduced cost come first: their states are bounded away soonest.
  const spread = (group: Group): number => {
    const reduced = group.options.map(({ loss, cost }) => loss + multiplier * cost)
    return Math.max(...reduced) - Math.min(...reduced)
  }
  const order = groups.map((_, at) => at).sort((a, b) => spread(groups[b]) - spread(groups[a]))
  const sorted = order.map((at) => groups[at])
  const laterCost = suffixSums(sorted.map((group) => Math.min(...group.options.map(({ cost }) => cost))))
  const laterReduced = suffixSums(sorted.map((group) => Math.min(...group.options.map(({ cost, loss }) => loss + multiplier * cost))))
  const most = upper + slack(upper)
  const states = await paretoStates(
    sorted,
    (at, cost, loss) => cost + laterCost[at + 1] <= room && loss + multiplier * (cost - limit) + laterReduced[at + 1] <= most,
    maxCoreStates,
  )
  if (states === null) return 'too large'
  const { last } = states
  if (last.length === 0 || last.loss[last.length - 1] >= upper) return null
  const choice = new Array<number>(groups.length)
  choiceOf(states, last.length - 1).forEach((option, k) => (choice[order[k]] = option))
  return choice
}
