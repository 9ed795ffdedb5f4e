/**
 * @file The linear relaxation of the multiple-choice knapsack (Sinha & Zoltners 1979). Every group is reduced to the lower
 * convex hull of its options; sorting all hull steps by loss saved per unit of cost solves the relaxation for every limit at
 * once. It gives greedy allocations, multipliers, and for any λ ≥ 0 the bound Σ min(loss + λ·cost) − λ·limit ≤ optimum.
 */
import { optionAt, type Group } from './allocation.ts'

/** Going from one hull option of a group to the next: dearer and better. */
export interface HullStep {
  readonly group: number
  readonly to: number
  readonly cost: number
  /** Loss saved, > 0. */
  readonly gain: number
}

export interface Relaxation {
  /** First hull option of each group: the cheapest one. */
  readonly start: readonly number[]
  /** Steepest first; within a group in hull order. */
  readonly steps: readonly HullStep[]
}

export function relax(groups: readonly Group[]): Relaxation {
  const start: number[] = []
  const steps: HullStep[] = []
  groups.forEach((group, at) => {
    const hull = lowerHull(group)
    start.push(hull[0])
    for (let i = 1; i < hull.length; i++) {
      const from = optionAt(group, hull[i - 1])
      const next = optionAt(group, hull[i])
      steps.push({ group: at, to: hull[i], cost: next.cost - from.cost, gain: from.loss - next.loss })
    }
  })
  // A stable sort keeps the hull order of steps of one group that are equally steep.
  steps.sort((a, b) => b.gain * a.cost - a.gain * b.cost)
  return { start, steps }
}

/** Options that are on the lower convex hull of (cost, loss), by growing cost and falling loss. */
export function lowerHull(group: Group): number[] {
  const order = undominated(group)
  const hull: number[] = []
  for (const index of order) {
    const next = optionAt(group, index)
    while (hull.length > 1) {
      const last = optionAt(group, hull[hull.length - 1])
      const before = optionAt(group, hull[hull.length - 2])
      const isConvex = (before.loss - last.loss) * (next.cost - last.cost) > (last.loss - next.loss) * (last.cost - before.cost)
      if (isConvex) break
      hull.pop()
    }
    hull.push(index)
  }
  return hull
}

/** Options that no other option beats in both cost and loss, by growing cost. */
export function undominated(group: Group): number[] {
  const order = group.options.map((_, index) => index)
  order.sort((a, b) => {
    const left = optionAt(group, a)
    const right = optionAt(group, b)
    return left.cost - right.cost || left.loss - right.loss
  })
  let least = Infinity
  return order.filter((index) => {
    const { loss } = optionAt(group, index)
    if (!(loss < least)) return false
    least = loss
    return true
  })
}

/** λ of the relaxation at a limit: the loss saved per unit of cost by the step that no longer fits whole; 0 where all fit. */
export function multiplierAt(groups: readonly Group[], { start, steps }: Relaxation, limit: number): number {
  let cost = groups.reduce((sum, group, at) => sum + optionAt(group, start[at]).cost, 0)
  for (const step of steps) {
    cost += step.cost
    if (cost > limit) return step.gain / step.cost
  }
  return 0
}

/** Σ over groups of min(loss + λ·cost), minus λ·limit: no choice within the limit has a loss below it. */
export function lagrangianBound(groups: readonly Group[], multiplier: number, limit: number): number {
  let sum = -multiplier * limit
  for (const group of groups) {
    let least = Infinity
    for (const option of group.options) least = Math.min(least, option.loss + multiplier * option.cost)
    sum += least
  }
  return sum
}
