/** @file What a correction is expected to bring, and why one cannot be had. Pure. */
import type { Plan } from '../../../electron/contract/engine.ts'
import type { Draft } from '../../../electron/contract/project.ts'
import { percent } from '../../state/format.ts'

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
  if (correction === 'scales') return null
  return measuredFor === 'eora' ? null : 'The map was measured without corrections.'
}
