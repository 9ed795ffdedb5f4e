import { expect, test } from 'vitest'
import { about, bytes, count, digits, duration, left, shortName, withError } from './format.ts'

test.each([[0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [1_234_567, '1.23 MB'], [999_600_000, '1.00 GB'], [12_345_678_901, '12.3 GB']])('%d bytes is %s', (value, text) => {
  expect(bytes(value)).toBe(text)
})
test.each([[0, '0'], [0.000123, '1.23e−4'], [0.0123, '0.0123'], [-1.5, '−1.50'], [123.4, '123'], [12_345_678, '1.23e7'], [NaN, '–']])('%d is %s', (value, text) => {
  expect(digits(value)).toBe(text)
})
test.each([[400, 'under 1 s'], [41_000, '41 s'], [240_000, '4 min'], [7_200_000, '2.0 h']])('%d ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})
test.each([[null, ''], [20_000, '20 s left'], [180_000, '2–4 min left']])('%s ms left is "%s"', (ms, text) => {
  expect(left(ms)).toBe(text)
})
test('counts, errors and long names', () => {
  expect([count(11_679_264), count(4096), withError(66.0295, 1.132), withError(0.00138, 9.7e-6), withError(0.5, 1e-7)]).toEqual(['11.7 M', '4,096', '66.0 ± 1.1', '0.00138 ± 0.00001', '0.500 ± 1e−7'])
  expect(shortName('model.layers.3.mlp.down_proj.weight', 24)).toBe('model.lay…wn_proj.weight')
  expect(shortName('short')).toBe('short')
})

test('a predicted time says that it is one, unless it is too short to matter', () => {
  expect([400, 25_000, 200_000].map(about)).toEqual(['under 1 s', 'about 25 s', 'about 3 min'])
})
