import { expect, test } from 'vitest'
import { AppError } from '../../contract/errors.ts'
import { bitsPerWeight, budgetText, parseBudget, targetBytes } from './budget.ts'

test.each([
  ['2.8bpw', { kind: 'bits', value: 2.8 }],
  ['120MB', { kind: 'bytes', value: 120_000_000 }],
  ['120 mb', { kind: 'bytes', value: 120_000_000 }],
  ['2733344B', { kind: 'bytes', value: 2_733_344 }],
  ['1.5GiB', { kind: 'bytes', value: 1_610_612_736 }],
  ['1GB', { kind: 'bytes', value: 1_000_000_000 }],
  ['3MiB', { kind: 'bytes', value: 3_145_728 }],
  ['7kB', { kind: 'bytes', value: 7000 }],
  ['1e3 KiB', { kind: 'bytes', value: 1_024_000 }],
  ['50%', { kind: 'ratio', value: 0.5 }],
])('%s', (text, budget) => {
  expect(parseBudget(text)).toEqual(budget)
  expect(parseBudget(budgetText(parseBudget(text)))).toEqual(budget)
})

test.each([
  ['120', 'the unit is missing'],
  ['', 'not a number with a unit'],
  ['-3bpw', 'not a number with a unit'],
  ['0bpw', 'not above zero'],
  ['40bpw', 'at most 32 bits'],
  ['101%', 'more than all'],
  ['3 bits', '"bits" is not a unit'],
  ['3constructor', '"constructor" is not a unit'],
  ['0.2B', 'not a possible number of bytes'],
  ['1e300TB', 'not a possible number of bytes'],
])('refuses "%s"', (text, reason) => {
  const error = caught(() => parseBudget(text))
  expect(error?.code).toBe('bad-request')
  expect(error?.message).toContain(reason)
  expect(error?.hint).toContain('2.8bpw')
})

test('the file size a budget stands for is rounded down', () => {
  expect(targetBytes({ kind: 'bits', value: 2.8 }, { elements: 1001 })).toBe(350) // 350.35
  expect(targetBytes({ kind: 'ratio', value: 0.5 }, { elements: 1001 })).toBe(1001)
  expect(targetBytes({ kind: 'ratio', value: 0.5 }, { elements: 1001, sourceBytes16: 2100 })).toBe(1050)
  expect(targetBytes({ kind: 'bytes', value: 77 }, { elements: 1001 })).toBe(77)
  expect(bitsPerWeight(350, 1000)).toBe(2.8)
})

/** The AppError that `run` throws. */
function caught(run: () => unknown): AppError | undefined {
  try {
    run()
  } catch (cause) {
    if (cause instanceof AppError) return cause
    throw cause
  }
  return undefined
}
