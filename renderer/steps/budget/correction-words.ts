/** @file Corrections in words: what each costs, what it is expected to bring, and why one cannot be had. Pure. */
import type { Plan } from '../../../electron/contract/engine.ts'
import type { Draft } from '../../../electron/contract/project.ts'
import { percent } from '../../state/format.ts'

/** Those the window offers, with what they cost and bring. */
export const corrections: readonly { readonly value: Draft['correction']; readonly label: string; readonly cost: string; readonly gain: string }[] = [
  { value: 'none', label: 'None', cost: 'no extra time', gain: 'The plan alone.' },
  { value: 'eora', label: 'Adapters, fitted', cost: 'a little time; their bytes count in the budget', gain: 'Low-rank factors from the layers’ own statistics. Pays at 3 bits and below, on wide models.' },
  { value: 'scales', label: 'Scales, trained', cost: 'minutes to hours; no extra bytes', gain: 'Tunes the scales against the original’s predictions.' },
  { value: 'codes', label: 'Rounding, trained', cost: 'minutes on a small model, hours on a large one; memory for 16 bytes a weight; no extra bytes', gain: 'Learns which way each weight is rounded, and the scales. The most that can be had without bytes.' },
  { value: 'rilq', label: 'Adapters, trained on hidden states', cost: 'hours; their bytes count in the budget', gain: 'For 2-bit plans of large models.' },
  { value: 'lrec', label: 'Adapters, trained on predictions', cost: 'hours; their bytes count in the budget', gain: 'The most that can be had at 2 bits.' },
]

/** The correction as the window calls it. */
export function correctionLabel(correction: Draft['correction']): string {
  return corrections.find(({ value }) => value === correction)?.label ?? correction
}

/** The plan with fitted adapters beside the plan without, both within the same budget. */
export function gainWords(without: Plan, corrected: Plan): string {
  const layers = corrected.recipe.choice.filter(({ rank }) => rank > 0).length
  if (layers === 0) return 'At this size the plan spends no byte on adapters: bits bring more.'
  const gain = without.recipe.predicted.loss > 0 ? 1 - corrected.recipe.predicted.loss / without.recipe.predicted.loss : 0
  return `At this size: adapters on ${layers === 1 ? '1 layer' : `${String(layers)} layers`}, predicted loss ${percent(Math.max(0, gain), 0)} lower.`
}

/** Why this correction cannot be chosen now, or null. */
export function unavailable(correction: Draft['correction'], measuredFor: string | null, isDataFree: boolean): string | null {
  if (correction === 'none') return null
  if (isDataFree) return 'Needs calibration data.'
  if (correction === 'scales' || correction === 'codes') return null
  return measuredFor === 'eora' ? null : 'The map was measured without corrections.'
}
