/**
 * @file Embedding and head: the two tables as large as the vocabulary. A table that fits the limit is read once and kept; of a
 * larger embedding only the rows a window needs are read, and a larger head runs slice by slice.
 */
import type { DecoderModel } from './model.ts'

export interface Tables {
  /** Rows of the embedding a window needs, and each token's place among them. */
  embeddingRows(window: Int32Array): Promise<{ table: Float32Array; rows: BigInt64Array }>
  /** The head in slices of rows, in order; one slice where it is kept. */
  headSlices(): AsyncIterable<{ first: number; slice: Float32Array }>
  release(): void
}

/** An embedding above this is not kept: a window needs few of its rows, and reading them takes no time beside a block. */
const EMBEDDING_BYTES = 64 << 20
/** Rows this close to each other are read at once: the gap costs less than another read. */
const GAP_ROWS = 4

/** Groups sorted rows into ranges worth one read each. */
export function rowRanges(sorted: readonly number[]): [number, number][] {
  const ranges: [number, number][] = []
  for (const row of sorted) {
    const last = ranges.at(-1)
    if (last !== undefined && row - last[1] <= GAP_ROWS) last[1] = row + 1
    else ranges.push([row, row + 1])
  }
  return ranges
}

/** Tables of a model; `keepBytes` is the largest table (as float32) that is kept in memory, of embeddings not more than 64 MiB. */
export function openTables(model: DecoderModel, keepBytes: number): Tables {
  const { vocabulary, hidden, tied } = model.spec
  const bytes = vocabulary * hidden * 4
  const isKept = bytes <= keepBytes
  const isEmbeddingKept = bytes <= Math.min(keepBytes, EMBEDDING_BYTES)
  const kept = new Map<'embedding' | 'head', Promise<Float32Array>>()

  function keep(name: 'embedding' | 'head'): Promise<Float32Array> {
    const key = tied ? 'embedding' : name
    const table = kept.get(key) ?? model.readWeight(key)
    kept.set(key, table)
    return table
  }

  return {
    async embeddingRows(window) {
      if (isEmbeddingKept) return { table: await keep('embedding'), rows: BigInt64Array.from(window, BigInt) }
      const wanted = [...new Set(window)].sort((a, b) => a - b)
      const table = new Float32Array(wanted.length * hidden)
      const place = new Map(wanted.map((row, index) => [row, index]))
      for (const [first, last] of rowRanges(wanted)) {
        const values = await model.readRows('embedding', [first, last])
        for (let row = first; row < last; row++) {
          const index = place.get(row)
          if (index !== undefined) table.set(values.subarray((row - first) * hidden, (row - first + 1) * hidden), index * hidden)
        }
      }
      return { table, rows: BigInt64Array.from(window, (token) => BigInt(place.get(token) ?? 0)) }
    },
    async *headSlices() {
      if (isKept) {
        yield { first: 0, slice: await keep('head') }
        return
      }
      const step = Math.max(1, Math.floor(keepBytes / 4 / hidden))
      for (let first = 0; first < vocabulary; first += step) yield { first, slice: await model.readRows('head', [first, Math.min(vocabulary, first + step)]) }
    },
    release: () => kept.clear(),
  }
}
