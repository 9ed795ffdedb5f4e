import { expect, test } from 'vitest'
import { budgetWords, bytesOf, convert, fieldValue, fromField, presets } from './budget.ts'

const weights = 1_000_000_000

test('the same size in every unit: 4 bits a weight of a billion are 500 MB, a quarter of 16 bit', () => {
  const bits = { kind: 'bits', value: 4 } as const
  expect([bytesOf(bits, weights), convert(bits, 'bytes', weights), convert(bits, 'ratio', weights)]).toEqual([5e8, { kind: 'bytes', value: 5e8 }, { kind: 'ratio', value: 0.25 }])
  expect(convert({ kind: 'bytes', value: 5e8 }, 'bits', weights)).toEqual(bits)
})

test('what a field shows is what it gives back', () => {
  for (const budget of [{ kind: 'bits', value: 3.25 }, { kind: 'bytes', value: 2_733_344 }, { kind: 'ratio', value: 0.5 }] as const) expect(fromField(budget.kind, fieldValue(budget))).toEqual(budget)
  expect(fromField('ratio', 250)).toEqual({ kind: 'ratio', value: 1 })
})

test('presets fit the model: no "fits in 4 GB" for one that is smaller anyway', () => {
  expect(presets(weights).map((preset) => preset.label)).toEqual(['Half size', 'Near-lossless', 'Balanced', 'Quarter size', 'Small'])
  expect(presets(7e9).map((preset) => preset.label)).toContain('Fits in 4 GB')
  expect(budgetWords({ kind: 'ratio', value: 0.25 })).toBe('25.0 % of 16-bit')
})
