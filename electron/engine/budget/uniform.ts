/** @file Uniform baselines: one option for every layer, as far as the layers can take it. What a mixed plan has to beat. */
import { parseOption } from '../../contract/options.ts'
import { totals, type Group } from './allocation.ts'
import type { CurvePoint } from './exact.ts'
import type { TargetLayer } from './target-layers.ts'

/** All options by growing bits per weight, of all layers that take them together: what is stored beside the weights of a small layer is most of it. */
export function optionOrder(layers: readonly TargetLayer[]): string[] {
  const sums = new Map<string, { bytes: number; weights: number }>()
  for (const { options, elements } of layers) {
    for (const [name, { bytes }] of options) {
      const { bytes: before, weights } = sums.get(name) ?? { bytes: 0, weights: 0 }
      sums.set(name, { bytes: before + bytes, weights: weights + elements })
    }
  }
  return [...sums].sort(([, a], [, b]) => a.bytes / a.weights - b.bytes / b.weights).map(([name]) => name)
}

/**
 * A group that cannot take the option (or is pinned) takes the next one with more bits that it can, else its widest. Options with a
 * low-rank correction are no baselines, unless there are no others.
 */
export function uniformPlans(groups: readonly Group[], layers: readonly TargetLayer[]): (CurvePoint & { option: string })[] {
  const every = optionOrder(layers)
  const plain = every.filter((option) => parseOption(option).rank === 0)
  const isPlain = groups.every((group) => group.options.some(({ option }) => plain.includes(option)))
  const order = isPlain ? plain : every
  return order
    .filter((option) => groups.some((group) => group.options.length > 1 && group.options.some((held) => held.option === option)))
    .map((option) => {
      const choice = groups.map((group) => nearest(group, order, order.indexOf(option)))
      return { option, ...totals(groups, choice) }
    })
}

function nearest(group: Group, order: readonly string[], wanted: number): number {
  const places = group.options.map(({ option }) => order.indexOf(option))
  const enough = places.filter((place) => place >= wanted)
  return places.indexOf(enough.length > 0 ? Math.min(...enough) : Math.max(...places))
}
