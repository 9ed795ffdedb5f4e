/**
 * @file What every allocator solves: a multiple-choice knapsack. Each group of tied layers takes exactly one of its options;
 * the summed loss is to be least under a limit on the summed cost (bytes, or any other single cost).
 */

export interface GroupOption {
  readonly option: string
  readonly cost: number
  readonly loss: number
}

/** Layers that must take the same option; a free layer is a group of one. */
export interface Group {
  readonly name: string
  readonly members: readonly string[]
  /** Never empty. */
  readonly options: readonly GroupOption[]
}

export interface Allocation {
  /** Index of the chosen option, one a group. */
  readonly choice: readonly number[]
  readonly cost: number
  readonly loss: number
  /** No choice within the limit has a loss below this. Equal to `loss` where the optimum is proved. */
  readonly lowerBound: number
}

/** One option of one group by index; an index out of range is a bug. */
export function optionAt(group: Group, index: number): GroupOption {
  const option = group.options[index]
  if (option === undefined) throw new Error(`group ${group.name} has no option ${index}`)
  return option
}

/** Cost and loss of a choice, summed in group order. */
export function totals(groups: readonly Group[], choice: readonly number[]): { cost: number; loss: number } {
  let cost = 0
  let loss = 0
  groups.forEach((group, at) => {
    const option = optionAt(group, choice[at])
    cost += option.cost
    loss += option.loss
  })
  return { cost, loss }
}

/** The cheapest choice (of equal costs the better one): what the smallest possible size is made of. */
export function cheapest(groups: readonly Group[]): number[] {
  return groups.map((group) => {
    let best = 0
    group.options.forEach((option, index) => {
      const held = optionAt(group, best)
      if (option.cost < held.cost || (option.cost === held.cost && option.loss < held.loss)) best = index
    })
    return best
  })
}

/** The slack that sums of floating-point costs need beside a limit: a choice that meets it exactly must not fall to rounding. */
export function tolerance(limit: number): number {
  return Math.abs(limit) * 1e-12
}
