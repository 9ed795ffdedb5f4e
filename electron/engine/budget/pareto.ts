/**
 * @file Exact Pareto dynamic programme over groups. A state is a (cost, loss) reached by some choice of the groups so far;
 * adding a group merges one shifted copy of the states per option and keeps only strictly falling losses. The surviving
 * states are the whole trade-off curve. Choices are kept as parent pointers, one pair of small integers a state.
 */
import { setImmediate } from 'node:timers/promises'
import { optionAt, type Group } from './allocation.ts'
import { undominated } from './relaxation.ts'

/** How each state came about: the state before its group, and the option its group took. */
export interface Link {
  readonly parent: Uint32Array
  readonly option: Uint16Array
}

/** The states after one group, by growing cost and falling loss. */
export interface Stage extends Link {
  readonly length: number
  readonly cost: Float64Array
  readonly loss: Float64Array
}

/** The states after all groups, and one link a group to walk back. */
export interface States {
  readonly last: Stage
  readonly links: readonly Link[]
}

/** The one state before any group. */
export function emptyStage(): Stage {
  return { length: 1, cost: new Float64Array(1), loss: new Float64Array(1), parent: new Uint32Array(1), option: new Uint16Array(1) }
}

/** Says whether a state after group `at` can still matter. */
export type Keep = (at: number, cost: number, loss: number) => boolean

/**
 * The states after all groups, or null as soon as a stage has more than `maxStates` states.
 * `keep` drops states that cannot be part of an answer (over the limit, or bounded away). The event loop turns between groups.
 */
export async function paretoStates(groups: readonly Group[], keep: Keep, maxStates: number): Promise<States | null> {
  const links: Link[] = []
  let last = emptyStage()
  for (const [at, group] of groups.entries()) {
    const next = addGroup(last, group, (cost, loss) => keep(at, cost, loss), maxStates)
    if (next === null) return null
    links.push({ parent: next.parent, option: next.option })
    last = next
    await setImmediate()
  }
  return { last, links }
}

/** Merges the option-shifted copies of `before` by cost, dropping what a cheaper state already beats. */
function addGroup(before: Stage, group: Group, keep: (cost: number, loss: number) => boolean, maxStates: number): Stage | null {
  const options = undominated(group)
  const shiftCost = Float64Array.from(options, (index) => optionAt(group, index).cost)
  const shiftLoss = Float64Array.from(options, (index) => optionAt(group, index).loss)
  const heads = new Uint32Array(options.length)
  const capacity = Math.min(before.length * options.length, maxStates)
  const cost = new Float64Array(capacity)
  const loss = new Float64Array(capacity)
  const parent = new Uint32Array(capacity)
  const option = new Uint16Array(capacity)
  let length = 0
  let least = Infinity
  for (;;) {
    let from = -1
    let bestCost = Infinity
    let bestLoss = Infinity
    for (let k = 0; k < heads.length; k++) {
      if (heads[k] >= before.length) continue
      const c = before.cost[heads[k]] + shiftCost[k]
      if (c > bestCost) continue
      const l = before.loss[heads[k]] + shiftLoss[k]
      if (c < bestCost || l < bestLoss) {
        from = k
        bestCost = c
        bestLoss = l
      }
    }
    if (from < 0) break
    const state = heads[from]++
    if (bestLoss >= least || !keep(bestCost, bestLoss)) continue
    if (length === capacity) return null
    least = bestLoss
    cost[length] = bestCost
    loss[length] = bestLoss
    parent[length] = state
    option[length] = options[from]
    length++
  }
  return { length, cost: cost.slice(0, length), loss: loss.slice(0, length), parent: parent.slice(0, length), option: option.slice(0, length) }
}

/** The choice behind a state of the last stage. */
export function choiceOf({ links }: States, state: number): number[] {
  const choice = new Array<number>(links.length)
  let at = state
  for (let group = links.length - 1; group >= 0; group--) {
    const { option, parent } = links[group]
    choice[group] = option[at]
    at = parent[at]
  }
  return choice
}
