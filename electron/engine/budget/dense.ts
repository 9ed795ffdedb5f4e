/**
 * @file Exact Pareto dynamic programme over a dense table, for costs that are multiples of a common unit: entry i holds the
 * least loss at i units above the cheapest choice. No sorting, so it stays fast where a model has tens of thousands of
 * different sizes (layers of a network share shapes, so their byte counts share large divisors).
 */
import { setImmediate } from 'node:timers/promises'
import { optionAt, type Group } from './allocation.ts'
import { emptyStage, type Link, type Stage, type States } from './pareto.ts'
import { undominated } from './relaxation.ts'

/** Largest unit that all cost differences within groups are multiples of; 0 where costs are not whole numbers. */
export function commonUnit(groups: readonly Group[]): number {
  let unit = 0
  for (const group of groups) {
    const base = optionAt(group, 0).cost
    for (const { cost } of group.options) {
      if (!Number.isSafeInteger(cost)) return 0
      unit = greatestCommonDivisor(unit, Math.abs(cost - base))
    }
  }
  return unit
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b]
  return a
}

/** The states after all groups, at most `count` of them. `unit` divides all cost differences within groups. */
export async function denseStates(groups: readonly Group[], unit: number, count: number): Promise<States> {
  const links: Link[] = []
  let last = emptyStage()
  let floor = 0
  for (const group of groups) {
    const options = undominated(group)
    floor += optionAt(group, options[0]).cost
    last = addGroup(last, group, options, floor, unit, count)
    links.push({ parent: last.parent, option: last.option })
    await setImmediate() // a group takes a millisecond or two
  }
  return { last, links }
}

function addGroup(before: Stage, group: Group, options: readonly number[], floor: number, unit: number, count: number): Stage {
  const cost = new Float64Array(count)
  const loss = new Float64Array(count).fill(Infinity)
  const parent = new Uint32Array(count)
  const option = new Uint16Array(count)
  for (const index of options) {
    const shift = optionAt(group, index)
    for (let state = 0; state < before.length; state++) {
      const l = before.loss[state] + shift.loss
      const c = before.cost[state] + shift.cost
      const entry = (c - floor) / unit
      if (l >= loss[entry]) continue
      cost[entry] = c
      loss[entry] = l
      parent[entry] = state
      option[entry] = index
    }
  }
  return compact({ length: count, cost, loss, parent, option })
}

/** Drops empty entries and states that a cheaper one already beats. */
function compact(stage: Stage): Stage {
  const { cost, loss, parent, option } = stage
  let length = 0
  let least = Infinity
  for (let entry = 0; entry < stage.length; entry++) {
    if (!(loss[entry] < least)) continue
    least = loss[entry]
    cost[length] = cost[entry]
    loss[length] = loss[entry]
    parent[length] = parent[entry]
    option[length] = option[entry]
    length++
  }
  return { length, cost: cost.slice(0, length), loss: loss.slice(0, length), parent: parent.slice(0, length), option: option.slice(0, length) }
}
