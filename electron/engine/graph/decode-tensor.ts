/** @file TensorProto → initializer. Numbers stored one by one become raw bytes; a payload left in the file or outside becomes a range. */
import { dataTypes, type DataType } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import { malformed } from '../io/problems.ts'
import { bitsPerElement, byteLength } from './element.ts'
import { RANK_MAX } from './limits.ts'
import { externalLocation } from './onnx-schema.ts'
import { bigints, doubles, floats, int, ints, message, readFields, text } from './protobuf.ts'
import { rangeField } from './wire.ts'
import type { Initializer } from './graph.ts'

/** Where a payload lies: in the model's own file (`location` null), or in another file named by the model; a null length is the rest of it. */
export interface Payload {
  readonly location: string | null
  readonly offset: number
  readonly length: number | null
}

/** Checks a payload of `expected` bytes and returns its range; `where` names the tensor in errors. */
export type Locate = (payload: Payload, expected: number, where: string) => Initializer['data']

/** Decodes a TensorProto and checks its size. */
export function decodeTensor(bytes: Uint8Array, where: string, locate: Locate): Initializer {
  const dims: number[] = []
  const float32: number[] = []
  const float64: number[] = []
  const int32: number[] = []
  const wide: bigint[] = []
  const external: Record<string, string> = {}
  const ranges: Payload[] = []
  let raw: Uint8Array | undefined
  let name = ''
  let typeNumber = 0
  let strings = 0
  let dataLocation = 0
  readFields(bytes, where, {
    1: ints(dims),
    2: int((value) => (typeNumber = value)),
    4: floats(float32),
    5: ints(int32),
    6: message(() => strings++),
    7: bigints(wide),
    8: text((value) => (name = value)),
    9: message((value) => (raw = value)),
    10: doubles(float64),
    11: bigints(wide),
    13: message((part) => Object.assign(external, keyValue(part, where))),
    14: int((value) => (dataLocation = value)),
    [rangeField]: message((part) => ranges.push(range(part, where))),
  })

  const here = `${where} '${name}'`
  const type = dataTypes[typeNumber]
  if (type === undefined || bitsPerElement[type] === 0) {
    const problem = strings > 0 || type === 'string' ? 'holds strings' : `has element type ${typeNumber}`
    throw new AppError('unsupported-tensor', `${here} ${problem}; expected numbers of a known type`, { hint: 'Cut the text processing off the model and export again.' })
  }
  if (dims.length > RANK_MAX) throw malformed(here, `${dims.length} dimensions`, `at most ${RANK_MAX}`)
  const expected = byteLength(type, dims)
  if (dims.some((dim) => dim < 0) || !Number.isSafeInteger(expected)) throw malformed(here, `the shape [${dims.join(', ')}]`, 'dimensions of 0 or more, and fewer than 2^53 bytes')

  if (dataLocation === externalLocation) {
    const payload = { location: external.location ?? '', offset: wholeNumber(external.offset ?? '0', here), length: external.length === undefined ? null : wholeNumber(external.length, here) }
    return { name, type, dims, data: locate(payload, expected, here) }
  }
  if (ranges.length > 1) throw malformed(here, 'weights in several pieces', 'one piece')
  const [left] = ranges
  if (left !== undefined) return { name, type, dims, data: locate(left, expected, here) }
  const data = raw ?? listed(type, { float32, float64, int32, wide }, here)
  if (data.length !== expected) throw malformed(here, `${data.length} bytes of data`, `${expected} for the shape [${dims.join(', ')}] of ${type}`)
  return { name, type, dims, data }
}

function keyValue(bytes: Uint8Array, where: string): Record<string, string> {
  let key = ''
  let value = ''
  readFields(bytes, where, { 1: text((found) => (key = found)), 2: text((found) => (value = found)) })
  return { [key]: value }
}

function range(bytes: Uint8Array, where: string): Payload {
  let offset = 0
  let length = 0
  readFields(bytes, where, { 1: int((value) => (offset = value)), 2: int((value) => (length = value)) })
  return { location: null, offset, length }
}

function wholeNumber(value: string, where: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number)) throw malformed(where, `'${value}' as place of external data`, 'a whole number of bytes')
  return number
}

interface Lists {
  readonly float32: readonly number[]
  readonly float64: readonly number[]
  readonly int32: readonly number[]
  readonly wide: readonly bigint[]
}

type Pack = (lists: Lists) => ArrayBufferView

const halves: Pack = ({ int32 }) => Uint16Array.from(int32)
const packedBytes: Pack = ({ int32 }) => Uint8Array.from(int32)

/** The typed fields of each element type, as the format assigns them. */
const packs: Partial<Record<DataType, Pack>> = {
  float32: ({ float32 }) => Float32Array.from(float32),
  complex64: ({ float32 }) => Float32Array.from(float32),
  float64: ({ float64 }) => Float64Array.from(float64),
  complex128: ({ float64 }) => Float64Array.from(float64),
  int64: ({ wide }) => BigInt64Array.from(wide),
  uint64: ({ wide }) => BigUint64Array.from(wide),
  uint32: ({ wide }) => Uint32Array.from(wide, Number),
  int32: ({ int32 }) => Int32Array.from(int32),
  int16: ({ int32 }) => Int16Array.from(int32),
  uint16: halves,
  float16: halves,
  bfloat16: halves,
  int8: ({ int32 }) => Int8Array.from(int32),
}

function listed(type: DataType, lists: Lists, where: string): Uint8Array {
  const counts = [lists.float32, lists.float64, lists.int32, lists.wide].filter((list) => list.length > 0).length
  if (counts > 1) throw malformed(where, 'numbers in several fields', 'one field, that of its type')
  const view = (packs[type] ?? packedBytes)(lists)
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}
