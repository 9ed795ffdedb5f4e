/**
 * @file Keys and values of the positions that a block has seen, of several texts side by side. They lie in arrays with room for more, so that
 * a position adds its own and moves nothing; what is not filled yet is masked.
 */

/** What a block's arrays have room for grows by so many positions. */
const ROOM = 64

export interface KeyCache {
  /** [count, heads, capacity, size], of which the first `length` positions are filled. */
  readonly keys: Float32Array
  readonly values: Float32Array
  readonly length: number
  readonly capacity: number
}

/** Texts and heads of the arrays together, and the size of a head. */
export interface CacheShape {
  readonly rows: number
  readonly size: number
}

export const emptyCache: KeyCache = { keys: new Float32Array(), values: new Float32Array(), length: 0, capacity: 0 }

function moved(from: Float32Array, { rows, size }: CacheShape, length: number, before: number, after: number): Float32Array {
  const to = new Float32Array(rows * after * size)
  for (let row = 0; row < rows; row++) to.set(from.subarray(row * before * size, (row * before + length) * size), row * after * size)
  return to
}

function put(into: Float32Array, added: Float32Array, { rows, size }: CacheShape, length: number, capacity: number): void {
  const part = added.length / rows
  for (let row = 0; row < rows; row++) into.set(added.subarray(row * part, (row + 1) * part), (row * capacity + length) * size)
}

/** A cache with the keys and values of the positions that follow, [count, heads, time, size]. The arrays of the old one are used on where they have room. */
export function withPositions(cache: KeyCache, shape: CacheShape, added: { readonly keys: Float32Array; readonly values: Float32Array }): KeyCache {
  const length = cache.length + added.keys.length / shape.rows / shape.size
  const capacity = Math.ceil(length / ROOM) * ROOM
  const grown = (array: Float32Array): Float32Array => (capacity === cache.capacity ? array : moved(array, shape, cache.length, cache.capacity, capacity))
  const [keys, values] = [grown(cache.keys), grown(cache.values)]
  put(keys, added.keys, shape, cache.length, capacity)
  put(values, added.values, shape, cache.length, capacity)
  return { keys, values, length, capacity }
}
