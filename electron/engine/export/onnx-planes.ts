/**
 * @file From the integer codecs' blocks (fp16 scale, zero byte unless symmetric, codes low bits first) to the planes that
 * MatMulNBits and GatherBlockQuantized take: codes [rows, groups, group·bits/8], scales [rows, groups] in fp16, zero points
 * packed along each row. Codes are copied as they are, so the values do not change. Pieces are made as they are written.
 */
import type { IntFormat } from '../budget/option-bytes.ts'

export type Plane = 'codes' | 'scales' | 'zeros'

export interface PlaneShape {
  readonly rows: number
  /** Groups in a row. */
  readonly groups: number
  /** Weights in a group. */
  readonly group: number
  readonly bits: number
  readonly isSymmetric: boolean
}

/** Bytes made between two turns of the event loop: under a millisecond of copying. */
const PIECE_BYTES = 1 << 18
const SCALE_BYTES = 2

/** The planes of a [rows, cols] weight; cols is a multiple of the group. */
export function planeShape(rows: number, cols: number, { bits, group, isSymmetric }: IntFormat): PlaneShape {
  const length = group === 'channel' ? cols : group
  return { rows, groups: cols / length, group: length, bits, isSymmetric }
}

/** Bytes of one row of a plane. */
export function planeRowBytes({ groups, group, bits }: PlaneShape, plane: Plane): number {
  const bytes: Readonly<Record<Plane, number>> = { codes: (groups * group * bits) / 8, scales: groups * SCALE_BYTES, zeros: Math.ceil((groups * bits) / 8) }
  return bytes[plane]
}

const fills: Readonly<Record<Plane, (shape: PlaneShape, row: Uint8Array, out: Uint8Array) => void>> = {
  codes({ groups, group, bits, isSymmetric }, row, out) {
    const header = SCALE_BYTES + (isSymmetric ? 0 : 1)
    const length = (group * bits) / 8
    for (let at = 0; at < groups; at++) {
      const start = at * (header + length) + header
      out.set(row.subarray(start, start + length), at * length)
    }
  },
  scales(shape, row, out) {
    const stride = blockBytes(shape)
    for (let at = 0; at < shape.groups; at++) {
      out[2 * at] = row[at * stride]
      out[2 * at + 1] = row[at * stride + 1]
    }
  },
  zeros(shape, row, out) {
    const stride = blockBytes(shape)
    for (let at = 0; at < shape.groups; at++) {
      const bit = at * shape.bits
      out[bit >> 3] |= row[at * stride + SCALE_BYTES] << (bit & 7)
    }
  },
}

function blockBytes({ group, bits, isSymmetric }: PlaneShape): number {
  return SCALE_BYTES + (isSymmetric ? 0 : 1) + (group * bits) / 8
}

/** A plane of the codec's bytes, in pieces of whole rows. */
export function* planePieces(bytes: Uint8Array, shape: PlaneShape, plane: Plane): Generator<Uint8Array> {
  const rowIn = shape.groups * blockBytes(shape)
  const rowOut = planeRowBytes(shape, plane)
  const step = Math.max(1, Math.floor(PIECE_BYTES / rowIn))
  for (let first = 0; first < shape.rows; first += step) {
    const count = Math.min(step, shape.rows - first)
    const piece = new Uint8Array(count * rowOut)
    for (let row = 0; row < count; row++) {
      const from = (first + row) * rowIn
      fills[plane](shape, bytes.subarray(from, from + rowIn), piece.subarray(row * rowOut, (row + 1) * rowOut))
    }
    yield piece
  }
}
