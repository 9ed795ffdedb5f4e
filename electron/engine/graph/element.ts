/** @file Sizes of ONNX element types, and raw bytes as typed arrays. Sub-byte types are packed, the first element in the low bits. */
import { AppError } from '../../contract/errors.ts'
import type { DataType, Tensor } from '../../../kernels/kernels.ts'

/** Bits of one element; 0 where a tensor cannot be held as raw bytes. */
export const bitsPerElement: Readonly<Record<DataType, number>> = {
  undefined: 0, string: 0, float32: 32, uint8: 8, int8: 8, uint16: 16, int16: 16, int32: 32, int64: 64, bool: 8, float16: 16, float64: 64, uint32: 32, uint64: 64,
  complex64: 64, complex128: 128, bfloat16: 16, float8e4m3fn: 8, float8e4m3fnuz: 8, float8e5m2: 8, float8e5m2fnuz: 8, uint4: 4, int4: 4, float4e2m1: 4, float8e8m0: 8, uint2: 2, int2: 2,
}

/** Product of the dimensions; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1)
}

/** Bytes of a tensor stored raw. */
export function byteLength(type: DataType, dims: readonly number[]): number {
  return Math.ceil((elementCount(dims) * bitsPerElement[type]) / 8)
}

type View = (bytes: Uint8Array) => Tensor['data']

const bytesView: View = (bytes) => bytes
const halfView: View = (bytes) => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)

const views: Partial<Record<DataType, View>> = {
  float32: (bytes) => new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  float64: (bytes) => new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8),
  float16: halfView,
  bfloat16: halfView,
  uint16: halfView,
  int16: (bytes) => new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2),
  int32: (bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  uint32: (bytes) => new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4),
  int64: (bytes) => new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8),
  uint64: (bytes) => new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8),
  int8: (bytes) => new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
}

/** Raw little-endian bytes as a typed array (`Uint8Array` for bool, packed and 8-bit float types); copies only where they are not aligned. */
export function typedArray(type: DataType, bytes: Uint8Array): Tensor['data'] {
  const width = Math.max(1, bitsPerElement[type] / 8)
  if (bytes.byteLength % width !== 0) throw new AppError('bad-shape', `a tensor of ${type}: found ${bytes.byteLength} bytes, expected a multiple of ${width}`)
  return (views[type] ?? bytesView)(bytes.byteOffset % width === 0 ? bytes : Uint8Array.from(bytes))
}
