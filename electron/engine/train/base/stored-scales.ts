/**
 * @file The half-precision scale (and offset) that a block of a codec stores: where they lie, and a layer's bytes with them
 * multiplied. Training them costs no bits: the codes and the integer scales below them stay.
 */
import { setImmediate } from 'node:timers/promises'
import { kernels } from '../../../../kernels/kernels.ts'
import type { CodecName, GgufType } from '../../../contract/options.ts'
import { intFormats } from '../../budget/option-bytes.ts'

export interface StoredScales {
  /** Weights in a block; 0 for a whole row. */
  readonly block: number
  /** Places of the block's halves, in bytes: its scale and, where it has one, its offset (minimum). */
  readonly places: readonly [number] | readonly [number, number]
}

/** Byte places by type; those that are absent have a scale that cannot be multiplied (MXFP4's power of two) or none. */
const ggufPlaces: Readonly<Partial<Record<GgufType, StoredScales['places']>>> = {
  Q8_0: [0], Q5_0: [0], Q4_0: [0], Q5_1: [0, 2], Q4_1: [0, 2], IQ4_NL: [0], IQ4_XS: [0], TQ1_0: [52], TQ2_0: [64],
  Q2_K: [80, 82], Q3_K: [108], Q4_K: [0, 2], Q5_K: [0, 2], Q6_K: [208],
}

/** Where a codec's blocks have their scales; null where they cannot be trained. */
export function storedScales(codec: CodecName): StoredScales | null {
  const places = intFormats.has(codec) ? [0] as const : ggufPlaces[codec as GgufType]
  const block = kernels().codecBlock(codec)
  return places === undefined || block === undefined ? null : { block, places }
}

/** Blocks handled between two turns of the event loop: about a millisecond. */
const BLOCKS_AT_ONCE = 1 << 15

/** Reads or writes the halves of all blocks at one place. */
async function eachHalf(bytes: Uint8Array, blocks: number, place: number, visit: (block: number, at: number) => void): Promise<void> {
  const stride = bytes.length / blocks
  for (let block = 0; block < blocks; block++) {
    visit(block, block * stride + place)
    if ((block + 1) % BLOCKS_AT_ONCE === 0) await setImmediate()
  }
}

/**
 * A layer's bytes with the halves of every block multiplied by `factors` [blocks, halves], rounded to the nearest half.
 * Shape [out, in].
 */
export async function rescaled(codec: CodecName, [rows, cols]: readonly [number, number], bytes: Uint8Array, factors: Float32Array): Promise<Uint8Array> {
  const stored = storedScales(codec)
  if (stored === null) throw new Error(`${codec} has no scales to multiply`)
  const blocks = rows * (stored.block === 0 ? 1 : cols / stored.block)
  const count = stored.places.length
  const out = bytes.slice()
  const halves = new Uint8Array(blocks * 2)
  const values = new Float32Array(blocks)
  const shape = { rows: 1, cols: blocks }
  for (const [index, place] of stored.places.entries()) {
    await eachHalf(bytes, blocks, place, (block, at) => {
      halves[2 * block] = bytes[at]
      halves[2 * block + 1] = bytes[at + 1]
    })
    await kernels().decode('F16', shape, halves, values)
    for (let block = 0; block < blocks; block++) values[block] *= factors[block * count + index]
    await kernels().encode('F16', shape, values, null, 'nearest', halves)
    await eachHalf(bytes, blocks, place, (block, at) => {
      out[at] = halves[2 * block]
      out[at + 1] = halves[2 * block + 1]
    })
  }
  return out
}
