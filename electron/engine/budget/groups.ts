/**
 * @file Target layers, ties and pins → groups for an allocator. Tied layers share one option, so a group's options are those
 * all its members can take and its costs are their sums; a pin leaves its group one option.
 */
import { AppError } from '../../contract/errors.ts'
import type { OptionCost } from '../../contract/sensitivity.ts'
import type { Group } from './allocation.ts'
import type { TargetLayer } from './target-layers.ts'

/** Options that are only ever chosen by a pin: twice the bytes of 16 bits, for no measurable gain. */
const byPinOnly: readonly string[] = ['F32']

export interface PlanGroups {
  readonly groups: readonly Group[]
  /** The same groups as if nothing were pinned. */
  readonly free: readonly Group[]
  /** The pin of each group, or null. */
  readonly pinned: readonly (string | null)[]
  /** Layers that are pinned only because they are tied to a pinned one. */
  readonly followers: readonly string[]
}

/** `pins`: layer name, or a pattern with `*`, → option. Throws an AppError for a pin that names no layer or cannot be held. */
export function planGroups(layers: readonly TargetLayer[], pins: Readonly<Record<string, string>>): PlanGroups {
  const pinOf = resolvePins(layers, pins)
  const sets = [...Map.groupBy(layers, ({ ties, name }) => (ties === null ? `layer ${name}` : `tie ${ties}`)).values()]
  const free = sets.map((members) => tiedGroup(members, null))
  const pinned = sets.map((members) => tiePin(members, pinOf))
  return {
    free,
    pinned,
    groups: sets.map((members, at) => (pinned[at] === null ? free[at] : tiedGroup(members, pinned[at]))),
    followers: sets.flatMap((members, at) => (pinned[at] === null ? [] : members.map(({ name }) => name).filter((name) => !pinOf.has(name)))),
  }
}

function resolvePins(layers: readonly TargetLayer[], pins: Readonly<Record<string, string>>): Map<string, string> {
  const pinOf = new Map<string, string>()
  // Exact names come last so that they win over patterns.
  const entries = Object.entries(pins).sort(([a], [b]) => Number(b.includes('*')) - Number(a.includes('*')))
  for (const [pattern, option] of entries) {
    const matched = layers.filter(({ name }) => matches(pattern, name))
    if (matched.length === 0) {
      throw new AppError('bad-recipe', `Pin ${pattern}=${option}: no layer has this name`, { hint: `Layers are named like ${layers.slice(0, 3).map(({ name }) => name).join(', ')}; * stands for any text.` })
    }
    for (const layer of matched) {
      if (!layer.options.has(option)) throw cannotHold(layer, option)
      pinOf.set(layer.name, option)
    }
  }
  return pinOf
}

function cannotHold(layer: TargetLayer, option: string): AppError {
  return new AppError('bad-recipe', `Pin ${layer.name}=${option}: ${layer.excluded.get(option) ?? `${option} was not measured`}`, {
    hint: `It can be one of ${[...layer.options.keys()].join(', ')}.`,
  })
}

/** `*` matches any text, everything else itself. */
function matches(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name
  const literal = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`).test(name)
}

function tiePin(members: readonly TargetLayer[], pinOf: ReadonlyMap<string, string>): string | null {
  const pins = new Set(members.flatMap(({ name }) => pinOf.get(name) ?? []))
  if (pins.size > 1) {
    throw new AppError('bad-recipe', `${members.map(({ name }) => name).join(', ')} share one option, but are pinned to ${[...pins].join(' and ')}`, { hint: 'Pin them to the same option.' })
  }
  return [...pins][0] ?? null
}

function tiedGroup(members: readonly TargetLayer[], pin: string | null): Group {
  const [first, ...rest] = members
  const shared = [...first.options.keys()].filter((option) => rest.every((layer) => layer.options.has(option)))
  const allowed = pin === null ? shared.filter((option) => !byPinOnly.includes(option)) : shared.filter((option) => option === pin)
  if (allowed.length === 0) {
    throw new AppError('bad-recipe', `${members.map(({ name }) => name).join(', ')} share one option, but ${pin === null ? 'there is none that all can take' : `not all of them can take ${pin}`}`)
  }
  const sum = (option: string, part: (cost: OptionCost) => number): number =>
    members.reduce((total, layer) => total + part(layer.options.get(option) ?? { bytes: 0, value: 0, stderr: 0 }), 0)
  return {
    name: first.ties ?? first.name,
    members: members.map(({ name }) => name),
    options: allowed.map((option) => ({ option, cost: sum(option, ({ bytes }) => bytes), loss: sum(option, ({ value }) => value) })),
  }
}
