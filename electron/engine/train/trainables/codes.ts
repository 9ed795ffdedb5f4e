/**
 * @file Codes of a quantized layer as trainables: learned rounding, which costs no bits. Beside each code stands an offset θ in steps of
 * the grid (mean steps, where its levels are a table); the layer computes with the level nearest to q + θ, and the gradient of a code is that of its weight times its scale, passed straight
 * through the rounding (Bengio et al. 2013; AutoRound, Cheng et al. 2023; PV-Tuning, Malinovskii et al. 2024). Where the weights before
 * rounding are known, θ begins where they lie in the cell of their code, so that those near its edge move first.
 */
import { kernels, type Tensor } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'
import { codeLevels, type CodeLevels } from '../base/stored-codes.ts'
import type { PackedWeight } from '../base/weight.ts'
import type { Trainable } from './trainable.ts'

/** What the last gradient of a weight says of the groups that share a scale, [out, groups]. */
export interface GroupGradients {
  /** Σ dŴ */
  readonly sums: Float32Array
  /** Σ dŴ (q − middle), q the codes as they are now. */
  readonly products: Float32Array
  /** The code that stands for 0 where there are no zero points. */
  readonly middle: number
}

export interface CodeTrainable extends Trainable {
  /** Of the last pull. */
  readonly groups: GroupGradients
  /** Takes up what the offsets say; to be called whenever they have changed. */
  refresh(): Promise<void>
  /** Packed codes under the offsets, as of the last refresh, by the layer's short name. */
  feeds(): Record<string, Tensor>
  /** The codes as they are now, as places in the codec's range, [out, in]. */
  places(): Uint8Array
}

/** Codes of a little-endian bit stream a row, one byte each. */
export function unpackCodes(packed: Uint8Array, rows: number, cols: number, bits: number): Uint8Array {
  const codes = new Uint8Array(rows * cols)
  const rowBytes = packed.length / rows
  const mask = 2 ** bits - 1
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const bit = col * bits
      const at = row * rowBytes + (bit >> 3)
      codes[row * cols + col] = ((packed[at] | ((packed[at + 1] ?? 0) << 8)) >> (bit & 7)) & mask
    }
  }
  return codes
}

/** The place of the level nearest to a code that need not be whole: table[⌊2 · code⌋], as no two levels are less than one apart. */
function nearestPlaces({ codes }: CodeLevels, bits: number): Uint8Array {
  return Uint8Array.from({ length: 2 * 2 ** bits }, (_, half) => {
    const center = half / 2 + 0.25
    return codes.reduce((best, code, place) => (Math.abs(code - center) < Math.abs(codes[best] - center) ? place : best), 0)
  })
}

/** Furthest from the middle of a cell that a code begins, in steps. */
const EDGE = 0.5

/**
 * Where weights lie in the cells of their codes, in steps of the grid. Those that error feedback has moved to another cell begin in its
 * middle: at its edge they would all go back at the first step.
 */
function offsetsOf(codes: Uint8Array, source: Float32Array, { scales, zeros, format: { bits } }: PackedWeight, { step }: CodeLevels, nearest: (code: number) => number): Float32Array {
  const group = codes.length / scales.length
  const offsets = new Float32Array(codes.length)
  for (const [at, code] of codes.entries()) {
    const part = Math.floor(at / group)
    const scale = scales[part]
    const found = scale === 0 ? code : source[at] / scale + (zeros?.[part] ?? 2 ** (bits - 1))
    if (nearest(found) === code && Math.abs(found - code) < EDGE * step) offsets[at] = (found - code) / step
  }
  return offsets
}

export interface CodeSource {
  /** The layer as it is stored. */
  readonly bytes: Uint8Array
  /** Its weights before rounding, [out, in]. */
  readonly weights?: Float32Array | undefined
}

/** The codes of a layer, or null where its codec has none. */
export function codeTrainable(layer: string, block: number, short: string, codec: CodecName, weight: PackedWeight, { bytes, weights }: CodeSource): CodeTrainable | null {
  const { scales, format: { bits }, shape: [rows, cols] } = weight
  const levels = codeLevels(codec, cols, bytes)
  if (levels === null) return null
  const nearest = nearestPlaces(levels, bits)
  const placeOf = (code: number): number => nearest[Math.min(Math.max(Math.floor(2 * code), 0), nearest.length - 1)]
  const start = unpackCodes(weight.codes, rows, cols, bits)
  const codes = start.slice()
  const packed = weight.codes.slice()
  const values = weights === undefined ? new Float32Array(rows * cols) : offsetsOf(start, weights, weight, levels, (code) => levels.codes[placeOf(code)])
  const gradient = new Float32Array(rows * cols)
  const group = (rows * cols) / scales.length
  const groups: GroupGradients = { sums: new Float32Array(scales.length), products: new Float32Array(scales.length), middle: 2 ** (bits - 1) }
  const input = `${short}.codes`
  const nearestCodes = nearest.map((place) => levels.codes[place])
  const now = (at: number): number => placeOf(start[at] + values[at] * levels.step)

  return {
    name: `${layer}.codes`, set: 'codes', block, values, gradient, groups, decays: false, wrt: [input],
    pull: (gradients) => kernels().codeGradients(gradients[input], codes, { rows, cols }, { group, middle: groups.middle, step: levels.step }, scales, gradient, groups.sums, groups.products),
    refresh: () => kernels().movedCodes(start, values, { rows, cols }, { bits, step: levels.step }, nearestCodes, codes, packed),
    feeds: () => ({ [input]: { type: 'uint8', dims: [rows, packed.length / rows], data: packed } }),
    places() {
      const places = new Uint8Array(codes.length)
      for (let at = 0; at < places.length; at++) places[at] = now(at)
      return places
    },
  }
}
