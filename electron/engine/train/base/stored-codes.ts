/** @file A layer's bytes with other codes under the same scales: what learned rounding changes. */
import { setImmediate } from 'node:timers/promises'
import { kernels } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'

export interface CodeLevels {
  /** The code of the planes for every place in the codec's own range. */
  readonly codes: readonly number[]
  /** Mean distance of neighbours. */
  readonly step: number
}

/** The codes that a codec has, as its planes number them: all in a row, or those that stand for a table's levels. Null for plain floats. */
export function codeLevels(codec: CodecName, cols: number, bytes: Uint8Array): CodeLevels | null {
  const format = kernels().planeFormat(codec)
  const block = kernels().codecBlock(codec)
  if (format === undefined || block === undefined) return null
  const length = block || cols
  const { first, last, levels } = kernels().codecGrid(codec, length, bytes.slice(0, kernels().codecBytes(codec, { rows: 1, cols: length })))
  const middle = 2 ** (format.bits - 1)
  if (levels === undefined) {
    const begin = format.zeros ? 0 : first + middle
    return { codes: Array.from({ length: last - first + 1 }, (_, place) => begin + place), step: 1 }
  }
  return { codes: Array.from(levels, (level) => level + middle), step: (Math.max(...levels) - Math.min(...levels)) / (levels.length - 1) }
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
