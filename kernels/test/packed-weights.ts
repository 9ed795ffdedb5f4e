/** @file Weights in packed codes for the tests of the operators, and the same weights in double by the definition. */
import type { Tensor } from '../kernels.ts'
import { float32 } from './models.ts'

export interface WeightShape { readonly rows: number; readonly cols: number; readonly bits: number; readonly group: number; readonly hasZeros: boolean }

export interface PackedWeight {
  /** codes [rows, ceil(cols · bits / 8)], scales and zeros [rows, groups] */
  readonly inputs: Readonly<Record<string, Tensor>>
  /** [rows, cols] in double: scale · (code − zero) */
  readonly dense: Float64Array
  /** code − zero */
  readonly shifted: Float64Array
  readonly groups: number
}

/** Numbers in [−1, 1) without pattern, the same on every run. */
export function noise(count: number, seed: number): Float32Array {
  let state = Math.imul(seed + 1, 2654435761) >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** Packs bit by bit: bit j of code k is bit k · bits + j of the row's little-endian stream. */
function packRow(codes: ArrayLike<number>, bits: number, row: Uint8Array): void {
  for (let at = 0; at < codes.length * bits; at++) {
    const bit = ((codes[Math.floor(at / bits)] ?? 0) >> (at % bits)) & 1
    row[at >> 3] = (row[at >> 3] ?? 0) | (bit << (at & 7))
  }
}

export function makeWeight({ rows, cols, bits, group, hasZeros }: WeightShape, seed = 1): PackedWeight {
  const length = group || cols
  const groups = cols / length
  const rowBytes = Math.ceil(cols * bits / 8)
  const codes = noise(rows * cols, seed).map((value) => Math.floor((value + 1) / 2 * 2 ** bits))
  const packed = new Uint8Array(rows * rowBytes)
  for (let n = 0; n < rows; n++) packRow(codes.subarray(n * cols, (n + 1) * cols), bits, packed.subarray(n * rowBytes, (n + 1) * rowBytes))
  const scales = noise(rows * groups, seed + 1).map((value) => value / 4 + 0.5)
  const zeros = noise(rows * groups, seed + 2).map((value) => hasZeros ? (value + 1) * 2 ** (bits - 1) : 2 ** (bits - 1))
  const group0 = (i: number) => Math.floor(i / cols) * groups + Math.floor((i % cols) / length)
  const shifted = Float64Array.from(codes, (code, i) => code - (zeros[group0(i)] ?? NaN))
  return {
    inputs: {
      codes: { type: 'uint8', dims: [rows, rowBytes], data: packed },
      scales: float32([rows, groups], scales),
      ...(hasZeros && { zeros: float32([rows, groups], zeros) }),
    },
    dense: shifted.map((value, i) => value * (scales[group0(i)] ?? NaN)),
    shifted,
    groups,
  }
}

/** Sums in double, and the sums of the terms' magnitudes that their rounding errors are measured by. */
export interface Sums { readonly value: Float64Array; readonly magnitude: Float64Array }

export function emptySums(count: number): Sums {
  return { value: new Float64Array(count), magnitude: new Float64Array(count) }
}

export function addTerm({ value, magnitude }: Sums, i: number, term: number): void {
  value[i] = (value[i] ?? NaN) + term
  magnitude[i] = (magnitude[i] ?? NaN) + Math.abs(term)
}

/** The largest |found − value| / magnitude; 0 / 0 is no error. */
export function largestError(found: ArrayLike<number>, { value, magnitude }: Sums): number {
  return value.reduce((most, expected, i) => {
    const error = found[i] === expected ? 0 : Math.abs((found[i] ?? NaN) - expected) / (magnitude[i] ?? NaN)
    return error > most || Number.isNaN(error) ? error : most
  }, 0)
}
