/**
 * @file From a codec's bytes to the parts that an ONNX file stores: planes for MatMulNBits, or for DequantizeLinear the codes,
 * scales and zero points of the whole layer in the initializer's own order, packed flat. Values do not change.
 */
import { kernels } from '../../../kernels/kernels.ts'
import type { CodecName } from '../../contract/options.ts'
import { planePieces, planeShape } from '../export/onnx-planes.ts'
import type { GraphLayer } from './layers.ts'
import type { Storage, StoredPart } from './storage.ts'
import { toLayout, transposed } from './weights.ts'

/** Header of an integer block: a float16 scale, and a zero point unless symmetric. */
const SCALE_BYTES = 2

interface IntPlanes {
  /** One code a byte, [rows, cols]. */
  readonly codes: Uint8Array
  /** Bits of float16, [rows, groups]. */
  readonly scales: Uint16Array
  /** [rows, groups] */
  readonly zeros: Uint8Array
}

/** Takes the blocks of an integer codec apart. Codes of 4 and 8 bits. */
export function takeApart(bytes: Uint8Array, rows: number, cols: number, group: number, bits: number, isSymmetric: boolean): IntPlanes {
  const groups = cols / group
  const header = SCALE_BYTES + (isSymmetric ? 0 : 1)
  const stride = header + Math.ceil((group * bits) / 8)
  const planes = { codes: new Uint8Array(rows * cols), scales: new Uint16Array(rows * groups), zeros: new Uint8Array(rows * groups) }
  for (let block = 0; block < rows * groups; block++) {
    const start = block * stride
    planes.scales[block] = bytes[start] | (bytes[start + 1] << 8)
    if (!isSymmetric) planes.zeros[block] = bytes[start + SCALE_BYTES]
    for (let at = 0; at < group; at++) {
      const byte = bytes[start + header + ((at * bits) >> 3)]
      planes.codes[block * group + at] = bits === 8 ? byte : (byte >> ((at & 1) * 4)) & 15
    }
  }
  return planes
}

/** Values of `bits` bits, the first in the low bits; signed types have 2^(bits−1) taken off, which is a flip of the highest bit. */
export function packFlat(values: Uint8Array, bits: number, isSigned: boolean): Uint8Array {
  const flip = isSigned ? 1 << (bits - 1) : 0
  if (bits === 8) return values.map((value) => value ^ flip)
  const out = new Uint8Array(Math.ceil(values.length / 2))
  for (let at = 0; at < values.length; at++) out[at >> 1] |= (values[at] ^ flip) << ((at & 1) * 4)
  return out
}

const rawBytes = (array: Uint16Array | Float32Array): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

/** The bytes of one part of a layer, in pieces. */
export function* partBytes(layer: GraphLayer, storage: Storage, part: StoredPart, bytes: Uint8Array): Generator<Uint8Array> {
  const { format, cols } = storage
  const [rows] = layer.shape
  if (format === null) yield halfBytes(layer, bytes)
  else if (storage.form === 'planes') yield* planePieces(bytes, planeShape(rows, cols, format), part.role === 'half' ? 'codes' : part.role)
  else {
    const { bits, isSymmetric } = format
    const group = format.group === 'channel' ? cols : format.group
    const planes = takeApart(bytes, rows, cols, group, bits, isSymmetric)
    const isTurned = layer.layout === 'in-out-taps'
    if (part.role === 'codes') yield packFlat(isTurned ? transposed(planes.codes, rows, cols) : planes.codes, bits, isSymmetric)
    else if (part.role === 'scales') yield rawBytes(isTurned ? transposed(planes.scales, rows, cols / group) : planes.scales)
    else yield packFlat(isTurned ? transposed(planes.zeros, rows, cols / group) : planes.zeros, bits, false)
  }
}

/** 16-bit weights, [out, in], in the layout of the initializer. */
function halfBytes(layer: GraphLayer, bytes: Uint8Array): Uint8Array {
  if (layer.layout === 'out-in') return bytes
  const [rows, cols] = layer.shape
  return rawBytes(transposed(new Uint16Array(Uint8Array.from(bytes).buffer), rows, cols))
}

/** Dense float32 [out, in] of a layer's codec bytes. */
export async function decodeLayer({ shape: [rows, cols] }: Pick<GraphLayer, 'shape'>, option: CodecName, storedCols: number, bytes: Uint8Array): Promise<Float32Array> {
  const padded = new Float32Array(rows * storedCols)
  await kernels().decode(option, { rows, cols: storedCols }, bytes, padded)
  if (storedCols === cols) return padded
  const dense = new Float32Array(rows * cols)
  for (let row = 0; row < rows; row++) dense.set(padded.subarray(row * storedCols, row * storedCols + cols), row * cols)
  return dense
}

/** Rows filled up with zeros: [rows, cols] → [rows, storedCols]. */
export function padColumns(dense: Float32Array, rows: number, cols: number, storedCols: number): Float32Array {
  if (storedCols === cols) return dense
  const padded = new Float32Array(rows * storedCols)
  for (let row = 0; row < rows; row++) padded.set(dense.subarray(row * cols, (row + 1) * cols), row * storedCols)
  return padded
}

/** Bytes of dense weights in the layout of the initializer, as float32: what a graph computes with in place of the quantized ones. */
export function denseBytes(layer: GraphLayer, dense: Float32Array): Uint8Array {
  return rawBytes(toLayout(layer, dense))
}

