/** @file The error of a budget no choice meets: the smallest possible file, and which pins keep it from being smaller. */
import { AppError } from '../../contract/errors.ts'
import type { Budget } from '../../contract/recipe.ts'
import { cheapest, optionAt, totals } from './allocation.ts'
import type { AllocatorName } from './allocators.ts'
import { bitsPerWeight, budgetText } from './budget.ts'
import type { PlanGroups } from './groups.ts'
import type { Constraint } from './milp.ts'

export interface Shortage {
  readonly budget: Budget
  readonly budgetBytes: number
  /** Bytes of the file beside the layers. */
  readonly overhead: number
  readonly elements: number
  readonly allocator: AllocatorName
  /** The limits beside the size. */
  readonly constraints: readonly Constraint[]
}

export function impossibleBudget({ budget, budgetBytes, overhead, elements, allocator, constraints }: Shortage, { groups, free, pinned }: PlanGroups): AppError {
  const smallestBytes = overhead + totals(groups, cheapest(groups)).cost
  const wanted = `Budget ${budgetText(budget)} (${budgetBytes} bytes)`
  if (smallestBytes <= budgetBytes && constraints.length > 0) {
    const limits = constraints.map(({ name, limit, costs }) => ({ name, limit, least: costs.reduce((sum, options) => sum + Math.min(...options), 0) }))
    const missed = limits.filter(({ limit, least }) => least > limit)
    const told = limits.map(({ name, limit }) => `${name} <= ${limit}`).join(' and ')
    return new AppError('budget-impossible', missed.length > 0 ? `Limit ${missed.map(({ name, limit, least }) => `${name} <= ${limit}: the least possible is ${least.toPrecision(4)}`).join('; ')}` : `${wanted} and ${told}: no choice meets them together`, {
      hint: `Raise ${missed.length === 0 ? 'one of the limits' : 'it'}; alone, the budget needs ${smallestBytes} bytes${limits.map(({ name, least }) => `, ${name} ${least.toPrecision(4)}`).join('')}.`,
      details: { smallestBytes, limits },
    })
  }
  if (smallestBytes <= budgetBytes) {
    return new AppError('budget-impossible', `${wanted}: the allocator "${allocator}" found no choice within it`, { hint: 'Use the allocator "exact".', details: { smallestBytes } })
  }
  const bits = bitsPerWeight(smallestBytes, elements)
  const pins = groups.flatMap((group, at) => {
    const option = pinned[at]
    const least = optionAt(free[at], cheapest([free[at]])[0])
    const saved = optionAt(group, 0).cost - least.cost
    return option === null || saved <= 0 ? [] : group.members.map((layer) => ({ layer, option, smallest: least.option, savedBytes: saved / group.members.length }))
  })
  pins.sort((a, b) => b.savedBytes - a.savedBytes)
  const held = pins.slice(0, 3).map(({ layer, option, smallest, savedBytes }) => `${layer}=${option} (${Math.round(savedBytes)} bytes more than ${smallest})`)
  const more = pins.length > held.length ? ` and ${pins.length - held.length} more` : ''
  return new AppError('budget-impossible', `${wanted}: the smallest possible file is ${smallestBytes} bytes (${bits.toFixed(3)} bits per weight)`, {
    hint: `Raise the budget to at least ${smallestBytes}B (${(Math.ceil(bits * 1000) / 1000).toFixed(3)}bpw)${held.length > 0 ? `, or drop pins: ${held.join(', ')}${more}` : ''}.`,
    details: { smallestBytes, smallestBitsPerWeight: bits, pins },
  })
}
