/** @file Budgets in the unit the user thinks in, and back. Pure. */
import type { Budget } from '../../../electron/contract/recipe.ts'
import { bits, bytes, percent } from '../../state/format.ts'

export type Unit = Budget['kind']
export const unitNames: Readonly<Record<Unit, string>> = { bits: 'bits per weight', bytes: 'MB', ratio: '% of 16-bit' }
export const unitDecimals: Readonly<Record<Unit, number>> = { bits: 2, bytes: 2, ratio: 1 }

/** The number shown in the field. */
export function fieldValue(budget: Budget): number {
  return budget.kind === 'bytes' ? budget.value / 1e6 : budget.kind === 'ratio' ? budget.value * 100 : budget.value
}
export function fromField(kind: Unit, value: number): Budget {
  switch (kind) {
    case 'bits': return { kind, value }
    case 'bytes': return { kind, value: Math.max(1, Math.round(value * 1e6)) }
    case 'ratio': return { kind, value: Math.min(1, value / 100) }
    default: return kind satisfies never
  }
}

/** Bytes of the whole file that a budget allows. */
export function bytesOf(budget: Budget, weights: number): number {
  switch (budget.kind) {
    case 'bits': return (budget.value * weights) / 8
    case 'bytes': return budget.value
    case 'ratio': return budget.value * weights * 2
    default: return budget satisfies never
  }
}

/** The same size in another unit. */
export function convert(budget: Budget, kind: Unit, weights: number): Budget {
  const size = bytesOf(budget, weights)
  switch (kind) {
    case 'bits': return { kind, value: Math.round((8 * size / weights) * 100) / 100 }
    case 'bytes': return { kind, value: Math.round(size) }
    case 'ratio': return { kind, value: Math.min(1, Math.round((size / (2 * weights)) * 1000) / 1000) }
    default: return kind satisfies never
  }
}

export function budgetWords(budget: Budget): string {
  switch (budget.kind) {
    case 'bits': return bits(budget.value)
    case 'bytes': return bytes(budget.value)
    case 'ratio': return `${percent(budget.value)} of 16-bit`
    default: return budget satisfies never
  }
}

export interface Preset { readonly label: string; readonly budget: Budget; readonly note: string }
/** Sizes people ask for; those that make no sense for this model are left out. */
export function presets(weights: number): Preset[] {
  const full = weights * 2
  const all: Preset[] = [
    { label: 'Half size', budget: { kind: 'ratio', value: 0.5 }, note: 'of the model in 16 bits' },
    { label: 'Near-lossless', budget: { kind: 'bits', value: 6.5 }, note: 'hardly to be told from the original' },
    { label: 'Balanced', budget: { kind: 'bits', value: 4.5 }, note: 'what most people want' },
    { label: 'Quarter size', budget: { kind: 'ratio', value: 0.25 }, note: 'of the model in 16 bits' },
    { label: 'Small', budget: { kind: 'bits', value: 3.5 }, note: 'some loss; look at the comparison' },
    { label: 'Fits in 4 GB', budget: { kind: 'bytes', value: 3_600_000_000 }, note: 'with room for the context' },
    { label: 'Fits in 8 GB', budget: { kind: 'bytes', value: 7_200_000_000 }, note: 'with room for the context' },
  ]
  return all.filter(({ budget }) => budget.kind !== 'bytes' || (budget.value < full * 0.6 && budget.value > full * 0.14))
}
