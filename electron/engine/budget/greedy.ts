/**
 * @file Greedy allocation: start from the cheapest options and take hull steps by falling loss saved per unit of cost,
 * passing over steps that do not fit. At every λ of the relaxation its choice is optimal; between them it is a heuristic.
 */
import { optionAt, tolerance, totals, type Allocation, type Group } from './allocation.ts'
import { lagrangianBound, multiplierAt, relax } from './relaxation.ts'

/** Null where even the cheapest options do not fit. */
export function allocateGreedy(groups: readonly Group[], limit: number): Allocation | null {
  const relaxation = relax(groups)
  const choice = [...relaxation.start]
  const room = limit + tolerance(limit)
  let { cost } = totals(groups, choice)
  if (cost > room) return null
  const held = new Set<number>()
  for (const step of relaxation.steps) {
    if (held.has(step.group)) continue
    if (cost + step.cost > room) {
      held.add(step.group) // later steps of the group start from this one
      continue
    }
    choice[step.group] = step.to
    cost += step.cost
  }
  const filled = fill(groups, choice, room)
  const lowerBound = lagrangianBound(groups, multiplierAt(groups, relaxation, limit), limit)
  const sum = totals(groups, filled)
  return { choice: filled, ...sum, lowerBound: Math.min(lowerBound, sum.loss) }
}

/** Spends what is left of the limit: while some option of some group fits and is better, takes the one that saves most. */
export function fill(groups: readonly Group[], choice: readonly number[], limit: number): number[] {
  const filled = [...choice]
  let { cost } = totals(groups, filled)
  for (;;) {
    let best = { gain: 0, group: -1, option: -1, cost: 0 }
    groups.forEach((group, at) => {
      const held = optionAt(group, filled[at])
      group.options.forEach((option, index) => {
        const gain = held.loss - option.loss
        const extra = option.cost - held.cost
        if (cost + extra <= limit && gain > best.gain) best = { gain, group: at, option: index, cost: extra }
      })
    })
    if (best.group < 0) return filled
    filled[best.group] = best.option
    cost += best.cost
  }
}
