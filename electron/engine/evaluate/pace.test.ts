import { expect, test } from 'vitest'
import { createPace } from './pace.ts'

function paced(...times: readonly number[]): ReturnType<ReturnType<typeof createPace>['numbers']> {
  const left = [...times]
  const pace = createPace(() => left.shift() ?? NaN)
  for (let at = 1; at < times.length; at++) pace.mark()
  return pace.numbers()
}

test('loading counts for the first token alone; the rest is told by its middle and its slow end', () => {
  const gaps = [...Array.from({ length: 19 }, () => 10), 110]
  const times = gaps.reduce((all, gap) => [...all, (all.at(-1) ?? 0) + gap], [0, 500])
  expect(paced(...times)).toEqual({ tokensPerSecond: 1000 * 20 / 300, firstTokenMs: 500, tokenMs: { median: 10, p95: 10 } })
  expect(paced(...times, 1000, 1400).tokenMs).toEqual({ median: 10, p95: 200 })
})

test('one token has no pace of its own, and none has none', () => {
  expect(paced(0, 250)).toEqual({ tokensPerSecond: 4, firstTokenMs: 250 })
  expect(paced(0)).toEqual({ tokensPerSecond: 0 })
})
