/**
 * @file HAWQ-V2's allocation (Dong et al. 2019), for comparison: groups are ranked by Hessian trace (or another score) and a
 * group may not be given fewer bits than one that ranks below it. This leaves C(L+B−1, B−1) of the B^L choices; the best of
 * them within the limit is found by a dynamic programme over (rank, option, cost). The restriction costs accuracy.
 */
import { optionAt, tolerance, totals, type Allocation, type Group } from './allocation.ts'

/** States kept per option and rank; beyond it only the best of each of as many intervals of cost: still monotone, maybe not best. */
const maxStates = 2048

interface State {
  readonly cost: number
  readonly loss: number
  readonly option: number
  readonly before: State | null
}

/**
 * `scores`: one a group, larger = more sensitive. `order`: option names from narrow to wide. A group with a single option
 * (a pinned layer) keeps it and is left out of the ranking. Null where no monotone choice fits.
 */
export function allocateMonotone(groups: readonly Group[], limit: number, scores: readonly number[], order: readonly string[]): Allocation | null {
  const free = groups.map((_, at) => at).filter((at) => groups[at].options.length > 1)
  const ranked = free.sort((a, b) => scores[b] - scores[a])
  const fixedCost = groups.reduce((sum, group) => sum + (group.options.length === 1 ? optionAt(group, 0).cost : 0), 0)
  const room = limit + tolerance(limit) - fixedCost
  const start: State = { cost: 0, loss: 0, option: 0, before: null }
  if (start.cost > room) return null
  // levels[b]: states in which the group ranked last has the b-th option of `order`, or no group is ranked yet.
  let levels: State[][] = order.map((_, level) => (level === order.length - 1 ? [start] : []))
  for (const at of ranked) levels = addGroup(groups[at], order, suffixMerge(levels), room)
  const best = levels.flat().reduce<State | null>((least, state) => (least === null || state.loss < least.loss ? state : least), null)
  if (best === null) return null
  const choice = new Array<number>(groups.length).fill(0)
  let state: State | null = best
  for (const at of ranked.reverse()) {
    choice[at] = state?.option ?? 0
    state = state?.before ?? null
  }
  return { choice, ...totals(groups, choice), lowerBound: 0 }
}

/** `reachable[b]`: states whose last ranked group has at least the b-th width. */
function addGroup(group: Group, order: readonly string[], reachable: readonly State[][], room: number): State[][] {
  return order.map((name, level) => {
    const index = group.options.findIndex(({ option }) => option === name)
    if (index < 0) return []
    const { cost, loss } = optionAt(group, index)
    const states = reachable[level].map((before) => ({ cost: before.cost + cost, loss: before.loss + loss, option: index, before }))
    return thin(states.filter((state) => state.cost <= room))
  })
}

/** For each level the states of that level and of all wider ones, without those that a cheaper state beats. */
function suffixMerge(levels: readonly State[][]): State[][] {
  const merged: State[][] = new Array<State[]>(levels.length)
  let wider: State[] = []
  for (let level = levels.length - 1; level >= 0; level--) {
    wider = prune([...levels[level], ...wider])
    merged[level] = wider
  }
  return merged
}

function prune(states: State[]): State[] {
  states.sort((a, b) => a.cost - b.cost || a.loss - b.loss)
  let least = Infinity
  return states.filter(({ loss }) => {
    if (loss >= least) return false
    least = loss
    return true
  })
}

function thin(states: State[]): State[] {
  if (states.length <= maxStates) return states
  const first = states[0].cost
  const width = (states[states.length - 1].cost - first) / (maxStates - 1)
  const kept = new Map<number, State>()
  for (const state of states) kept.set(Math.round((state.cost - first) / width), state) // losses fall, so the last of an interval is its best
  return [...kept.values()]
}
