/** @file What a plan has to say besides its numbers: options layers cannot take, estimated losses, pins that spread, gaps. */
import type { Allocation } from './allocation.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import { unmeasured, type TargetLayer } from './target-layers.ts'

const maxNames = 4 // names of layers in one sentence; the rest is counted

export interface WarningInput {
  readonly layers: readonly TargetLayer[]
  readonly estimated: readonly string[]
  readonly followers: readonly string[]
  readonly allocation: Allocation
}

export function planWarnings({ layers, estimated, followers, allocation }: WarningInput): string[] {
  return [
    ...excludedOptions(layers),
    ...(estimated.length > 0 ? [`The measurement is unfinished: the losses of ${listed(estimated)} are estimated from layers of the same role.`] : []),
    ...(followers.length > 0 ? [`${listed(followers)} share their option with a pinned layer and follow it.`] : []),
    ...gap(allocation),
  ]
}

/** What to know of formats before a file with them is handed on. */
const formatNotes: Readonly<Record<string, string>> = {
  TQ2_0: 'are ternary, which llama.cpp computes on the processor: not every graphics backend has it',
  TQ1_0: 'are ternary, which llama.cpp computes on the processor: not every graphics backend has it',
}

/** One sentence a chosen format that has something to know. */
export function formatWarnings(choice: readonly LayerChoice[]): string[] {
  return Object.entries(formatNotes).flatMap(([format, note]) => {
    const layers = choice.filter(({ option }) => option === format).map(({ name }) => name)
    return layers.length > 0 ? [`The ${format} tensors (${listed(layers)}) ${note}.`] : []
  })
}

/**
 * One sentence a kind of reason: "blocks.0.q, … (12 layers) cannot take Q4_K, Q6_K: 576 columns are not a multiple of 256." Reasons that differ in
 * the layers' own columns alone are one kind.
 */
function excludedOptions(layers: readonly TargetLayer[]): string[] {
  const byKind = new Map<string, { layers: Set<string>; options: Set<string>; reasons: Set<string> }>()
  for (const { name, excluded } of layers) {
    for (const [option, reason] of excluded) {
      if (reason === unmeasured) continue
      const kind = reason.replace(/^\d+ columns/, 'their columns')
      const held = byKind.get(kind) ?? { layers: new Set(), options: new Set(), reasons: new Set() }
      held.layers.add(name)
      held.options.add(option)
      held.reasons.add(reason)
      byKind.set(kind, held)
    }
  }
  return [...byKind].map(([kind, { layers: names, options, reasons: [first, ...others] }]) => `${listed([...names])} cannot take ${[...options].join(', ')}: ${others.length === 0 ? first : kind}.`)
}

function gap({ loss, lowerBound }: Allocation): string[] {
  if (lowerBound <= 0 || loss <= lowerBound * (1 + 1e-6)) return []
  return [`The choice is within ${(100 * (loss / lowerBound - 1)).toPrecision(2)} % of the best possible predicted loss.`]
}

/** The first of some names, and how many more there are. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, maxNames).join(', ')
  return names.length <= maxNames ? shown : `${shown}, … (${names.length} layers)`
}
