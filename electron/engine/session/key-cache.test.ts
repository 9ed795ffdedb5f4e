import { expect, test } from 'vitest'
import { emptyCache, withPositions, type KeyCache } from './key-cache.ts'

const shape = { rows: 2, size: 2 }

/** Keys of positions first … last, told apart by row, position and place; values are one minus them. */
function positions(first: number, last: number): { keys: Float32Array; values: Float32Array } {
  const time = last - first
  const keys = Float32Array.from({ length: shape.rows * time * shape.size }, (_, at) => 1000 * Math.floor(at / (time * shape.size)) + 2 * first + (at % (time * shape.size)))
  return { keys, values: keys.map((value) => 1 - value) }
}

/** What a row holds of the positions that are filled. */
function filled(cache: KeyCache, row: number): number[] {
  return [...cache.keys.subarray(row * cache.capacity * shape.size, (row * cache.capacity + cache.length) * shape.size)]
}

test('positions come one after the other in every row, in arrays that stay until they are full', () => {
  const first = withPositions(emptyCache, shape, positions(0, 63))
  const second = withPositions(first, shape, positions(63, 64))
  const third = withPositions(second, shape, positions(64, 66))
  expect([first, second, third].map(({ length, capacity }) => [length, capacity])).toEqual([[63, 64], [64, 64], [66, 128]])
  expect(second.keys).toBe(first.keys)
  for (const row of [0, 1]) expect(filled(third, row)).toEqual(Array.from({ length: 132 }, (_, at) => 1000 * row + at))
  expect([...third.values]).toEqual([...third.keys].map((value, at) => (at % 256 < 132 ? 1 - value : 0)))
  expect(third.keys.subarray(132, 256).every((value) => value === 0)).toBe(true)
})
