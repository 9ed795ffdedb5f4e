/** @file A layer's bytes with other codes under the same scales: what learned rounding changes. */
import { setImmediate } from 'node:timers/promises'
import { kernels } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'

export interface CodeRange {
  /** Codes of the planes go from `first` to `last`; a place in the codec's own range is the code less `first`. */
  readonly first: number
  readonly last: number
}

/** The codes that a codec has, as its planes number them; null where its levels are a table, whose steps differ. */
export function codeRange(codec: CodecName, cols: number, bytes: Uint8Array): CodeRange | null {
  const format = kernels().planeFormat(codec)
  const block = kernels().codecBlock(codec)
  if (format === undefined || block === undefined) return null
  const length = block || cols
  const grid = kernels().codecGrid(codec, length, bytes.slice(0, kernels().codecBytes(codec, { rows: 1, cols: length })))
  if (grid.levels !== undefined) return null
  const first = format.zeros ? 0 : grid.first + 2 ** (format.bits - 1)
  return { first, last: first + grid.last - grid.first }
}

/** Blocks handled between two turns of the event loop. */
const BLOCKS_AT_ONCE = 1 << 12

/** A layer's bytes with the codes at `places` (in the codec's range, from 0), [out, in]. */
export async function recoded(codec: CodecName, [rows, cols]: readonly [number, number], bytes: Uint8Array, places: Uint8Array): Promise<Uint8Array> {
  const length = kernels().codecBlock(codec) || cols
  const blocks = (rows * cols) / length
  const stride = bytes.length / blocks
  const out = bytes.slice()
  for (let block = 0; block < blocks; block++) {
    kernels().codecPack(codec, length, out.subarray(block * stride, (block + 1) * stride), places.subarray(block * length, (block + 1) * length))
    if ((block + 1) % BLOCKS_AT_ONCE === 0) await setImmediate()
  }
  return out
}
