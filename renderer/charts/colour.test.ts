import { expect, test } from 'vitest'
import { inkOn, logShare, luminance, sequential } from './colour.ts'

test('the ends are viridis’ own, swapped between light and dark', () => {
  expect([sequential(0, true), sequential(1, true)]).toEqual([[68, 1, 84], [253, 231, 37]])
  expect([sequential(0, false), sequential(1, false), sequential(2, false)]).toEqual([[253, 231, 37], [68, 1, 84], [68, 1, 84]])
})

test('text on any colour of the scale reaches 4.5 : 1', () => {
  for (let i = 0; i <= 100; i++) {
    const colour = sequential(i / 100, true)
    const [ground, ink] = [luminance(colour), inkOn(colour) === 'white' ? 1 : 0]
    expect((Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05)).toBeGreaterThan(4.5)
  }
})

test('the middle of a log scale is the geometric mean', () => {
  expect(logShare(10, 1, 100)).toBeCloseTo(0.5)
  expect([logShare(0, 1, 100), logShare(1000, 1, 100), logShare(5, 5, 5)]).toEqual([0, 1, 0])
})
