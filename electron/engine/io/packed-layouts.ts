/**
 * @file The two layouts in which transformers' files keep group-wise integers, from and to the blocks of the int codecs
 * (fp16 scale, zero byte unless symmetric, codes low bits first). Codes are copied word by word, so no value changes.
 *
 * gptq (checkpoint_format gptq_v2): qweight [in·bits/32, out], scales fp16 [groups, out], qzeros [groups, out·bits/32] with the zero
 * point as it is (v1 stores it less one), g_idx [in]. compressed-tensors (pack-quantized): weight_packed [out, in·bits/32],
 * weight_scale fp16 [out, groups], weight_zero_point [out·bits/32, groups] unless symmetric, weight_shape. All words int32,
 * codes one after the other from the low bits on, also across words (3 bits).
 */
import { setImmediate } from 'node:timers/promises'
import { assert } from '../../contract/errors.ts'
import type { PackedLayoutName } from '../../contract/recipe.ts'
import type { IntFormat } from '../budget/option-bytes.ts'
import type { SafetensorsType } from './types.ts'

export interface PackedShape {
  /** Out features. */
  readonly rows: number
  /** In features. */
  readonly cols: number
  readonly format: IntFormat
}

export interface Plane {
  /** After the module's name. */
  readonly suffix: string
  readonly type: SafetensorsType
  readonly shape: readonly number[]
}

type Order = 'rows-first' | 'rows-last'

interface Layout {
  readonly codes: { readonly suffix: string; readonly order: Order }
  readonly scales: { readonly suffix: string; readonly order: Order }
  readonly zeros: { readonly suffix: string; readonly order: Order; readonly ofSymmetric: boolean }
  /** A plane that follows from the shape alone. */
  readonly extra: { readonly suffix: string; readonly type: 'I32' | 'I64'; readonly values: (shape: PackedShape) => readonly number[] }
}

export const packedLayouts = {
  gptq: {
    codes: { suffix: 'qweight', order: 'rows-last' },
    scales: { suffix: 'scales', order: 'rows-last' },
    zeros: { suffix: 'qzeros', order: 'rows-last', ofSymmetric: true },
    extra: { suffix: 'g_idx', type: 'I32', values: (shape) => Array.from({ length: shape.cols }, (_, j) => Math.floor(j / groupLength(shape))) },
  },
  'compressed-tensors': {
    codes: { suffix: 'weight_packed', order: 'rows-first' },
    scales: { suffix: 'weight_scale', order: 'rows-first' },
    zeros: { suffix: 'weight_zero_point', order: 'rows-first', ofSymmetric: false },
    extra: { suffix: 'weight_shape', type: 'I64', values: ({ rows, cols }) => [rows, cols] },
  },
} as const satisfies Record<PackedLayoutName, Layout>

/** Blocks handled between two turns of the event loop: about a millisecond. */
const BLOCKS_AT_ONCE = 1 << 14

export function groupLength({ cols, format: { group } }: PackedShape): number {
  return group === 'channel' ? cols : group
}

interface Geometry {
  readonly groups: number
  /** Words of codes in a group. */
  readonly words: number
  /** Bytes before a block's codes. */
  readonly header: number
  readonly blockBytes: number
  /** Words that hold the zero points of one group. */
  readonly zeroWords: number
}

function geometry(shape: PackedShape): Geometry {
  const { rows, cols, format } = shape
  const length = groupLength(shape)
  const words = (length * format.bits) / 32
  assert(cols % length === 0 && Number.isInteger(words), `groups of ${length} ${format.bits}-bit codes in rows of ${cols}`)
  const header = format.isSymmetric ? 2 : 3
  return { groups: cols / length, words, header, blockBytes: header + words * 4, zeroWords: Math.ceil((rows * format.bits) / 32) }
}

/** Bytes of the weight in its codec's blocks. */
export function packedBytes(shape: PackedShape): number {
  const { groups, blockBytes } = geometry(shape)
  return shape.rows * groups * blockBytes
}

function hasZeros(layout: Layout, { format }: PackedShape): boolean {
  return !format.isSymmetric || layout.zeros.ofSymmetric
}

/** The tensors that hold a weight, in the order they are written. */
export function packedPlanes(name: PackedLayoutName, shape: PackedShape): readonly Plane[] {
  const layout: Layout = packedLayouts[name]
  const { rows } = shape
  const { groups, words, zeroWords } = geometry(shape)
  const place = (order: Order, first: number, second: number): number[] => (order === 'rows-first' ? [first, second] : [second, first])
  return [
    { suffix: layout.codes.suffix, type: 'I32', shape: place(layout.codes.order, rows, groups * words) },
    ...(hasZeros(layout, shape) ? [{ suffix: layout.zeros.suffix, type: 'I32', shape: place(layout.zeros.order, zeroWords, groups) } as const] : []),
    { suffix: layout.scales.suffix, type: 'F16', shape: place(layout.scales.order, rows, groups) },
    { suffix: layout.extra.suffix, type: layout.extra.type, shape: [layout.extra.values(shape).length] },
  ]
}

/** Steps to the next row (or word of zero points) and the next column of a plane. */
function strides(order: Order, first: number, second: number): readonly [number, number] {
  return order === 'rows-first' ? [second, 1] : [1, first]
}

async function eachBlock({ rows }: PackedShape, groups: number, visit: (row: number, group: number) => void): Promise<void> {
  const step = Math.max(1, Math.floor(BLOCKS_AT_ONCE / groups))
  for (let first = 0; first < rows; first += step) {
    for (let row = first; row < Math.min(rows, first + step); row++) for (let group = 0; group < groups; group++) visit(row, group)
    if (first + step < rows) await setImmediate()
  }
}

/** Puts `bits` of a value at a bit of a stream of words that are `stride` apart from `start`. */
function putBits(words: Uint32Array, start: number, stride: number, bit: number, bits: number, value: number): void {
  const at = start + (bit >>> 5) * stride
  words[at] |= value << (bit & 31)
  if ((bit & 31) + bits > 32) words[at + stride] |= value >>> (32 - (bit & 31))
}

function getBits(words: Uint32Array, start: number, stride: number, bit: number, bits: number): number {
  const at = start + (bit >>> 5) * stride
  const low = words[at] >>> (bit & 31)
  const high = (bit & 31) + bits > 32 ? words[at + stride] << (32 - (bit & 31)) : 0
  return (low | high) & ((1 << bits) - 1)
}

function bytesOf(array: Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function extraBytes(layout: Layout, shape: PackedShape): Uint8Array {
  const values = layout.extra.values(shape)
  return new Uint8Array(layout.extra.type === 'I64' ? BigInt64Array.from(values, BigInt).buffer : Int32Array.from(values).buffer)
}

/** A weight in its codec's blocks as the planes of a layout, by suffix. */
export async function packPlanes(name: PackedLayoutName, shape: PackedShape, blocks: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> {
  const layout: Layout = packedLayouts[name]
  const { rows, format } = shape
  const { groups, words, header, blockBytes, zeroWords } = geometry(shape)
  assert(blocks.length === rows * groups * blockBytes, `${blocks.length} bytes of a weight that takes ${rows * groups * blockBytes}`)
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength)
  const codes = new Uint32Array(rows * groups * words)
  const scales = new Uint16Array(rows * groups)
  const zeros = new Uint32Array(zeroWords * groups)
  const [codeRow, codeWord] = strides(layout.codes.order, rows, groups * words)
  const [scaleRow, scaleGroup] = strides(layout.scales.order, rows, groups)
  const [zeroWord, zeroGroup] = strides(layout.zeros.order, zeroWords, groups)
  await eachBlock(shape, groups, (row, group) => {
    const at = (row * groups + group) * blockBytes
    for (let word = 0; word < words; word++) codes[row * codeRow + (group * words + word) * codeWord] = view.getUint32(at + header + 4 * word, true)
    scales[row * scaleRow + group * scaleGroup] = view.getUint16(at, true)
    putBits(zeros, group * zeroGroup, zeroWord, row * format.bits, format.bits, format.isSymmetric ? 1 << (format.bits - 1) : blocks[at + 2])
  })
  const planes = new Map([[layout.codes.suffix, bytesOf(codes)], [layout.scales.suffix, bytesOf(scales)], [layout.extra.suffix, extraBytes(layout, shape)]])
  return hasZeros(layout, shape) ? planes.set(layout.zeros.suffix, bytesOf(zeros)) : planes
}

/** The planes of a layout, by suffix, as a weight in its codec's blocks. `zeroStep` is added to stored zero points (1 for gptq v1). */
export async function unpackPlanes(name: PackedLayoutName, shape: PackedShape, planes: ReadonlyMap<string, Uint8Array>, zeroStep = 0): Promise<Uint8Array> {
  const layout: Layout = packedLayouts[name]
  const { rows, format } = shape
  const { groups, words, header, blockBytes, zeroWords } = geometry(shape)
  const wordsOf = (suffix: string): Uint32Array => new Uint32Array(new Uint8Array(planes.get(suffix) ?? []).buffer)
  const codes = wordsOf(layout.codes.suffix)
  const zeros = wordsOf(layout.zeros.suffix)
  const scales = new Uint16Array(new Uint8Array(planes.get(layout.scales.suffix) ?? []).buffer)
  const blocks = new Uint8Array(rows * groups * blockBytes)
  const view = new DataView(blocks.buffer)
  const [codeRow, codeWord] = strides(layout.codes.order, rows, groups * words)
  const [scaleRow, scaleGroup] = strides(layout.scales.order, rows, groups)
  const [zeroWord, zeroGroup] = strides(layout.zeros.order, zeroWords, groups)
  await eachBlock(shape, groups, (row, group) => {
    const at = (row * groups + group) * blockBytes
    for (let word = 0; word < words; word++) view.setUint32(at + header + 4 * word, codes[row * codeRow + (group * words + word) * codeWord], true)
    view.setUint16(at, scales[row * scaleRow + group * scaleGroup], true)
    if (!format.isSymmetric) blocks[at + 2] = (getBits(zeros, group * zeroGroup, zeroWord, row * format.bits, format.bits) + zeroStep) & ((1 << format.bits) - 1)
  })
  return blocks
}
