import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bisectFormats, smallestWithin } from './bisection.ts'

const narrowing: Record<string, number> = { 16: 0, 8: 1, 4: 3 }

/** Quality lost by a choice: each layer's score times what its format costs. */
function lost(scores: readonly number[], options: readonly string[]): number {
  return options.reduce((sum, option, at) => sum + scores[at] * narrowing[option], 0)
}

test('each format takes as many of the least sensitive layers as the target allows, the narrower out of the wider', () => {
  return fc.assert(fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 40 }), fc.integer({ min: 0, max: 2000 }), async (scores, target) => {
    const { options, evaluations, isMonotone } = await bisectFormats({ scores, formats: ['16', '8', '4'], allows: () => true, meets: (tried) => Promise.resolve(lost(scores, tried) <= target) })
    // Walked one by one: first 8 bits from the least sensitive on, then 4 bits within those.
    const order = scores.map((_, at) => at).sort((a, b) => scores[a] - scores[b])
    const expected = scores.map(() => '16')
    for (const format of ['8', '4']) {
      for (const at of order) {
        const before = expected[at]
        if (format === '4' && before === '16') break
        expected[at] = format
        if (lost(scores, expected) <= target) continue
        expected[at] = before
        break
      }
    }
    expect(options).toEqual(expected)
    expect(isMonotone).toBe(true)
    expect(evaluations).toBeLessThanOrEqual(2 * (Math.ceil(Math.log2(scores.length + 1)) + 1))
  }))
})

test('a layer that cannot take a format keeps the wider one', async () => {
  const { options } = await bisectFormats({ scores: [1, 2, 3], formats: ['16', '4'], allows: (group) => group !== 1, meets: () => Promise.resolve(true) })
  expect(options).toEqual(['4', '16', '4'])
})

test('a quality that does not fall along the list is noticed', async () => {
  const { isMonotone } = await bisectFormats({
    scores: [1, 2, 3, 4, 5, 6, 7, 8], formats: ['16', '4'], allows: () => true,
    meets: (options) => Promise.resolve([0, 1, 3, 8].includes(options.filter((option) => option === '4').length)),
  })
  expect(isMonotone).toBe(false)
})

test('the cheapest point of a curve that meets the target', async () => {
  for (const first of [0, 1, 6, 9]) expect(await smallestWithin(10, (point) => Promise.resolve(point >= first))).toBe(first)
  expect(await smallestWithin(10, () => Promise.resolve(false))).toBeNull()
  expect(await smallestWithin(0, () => Promise.resolve(true))).toBeNull()
})
