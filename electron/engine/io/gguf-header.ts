/**
 * @file The header of a GGUF file (versions 2 and 3): "GGUF", version, counts, key-values, tensor infos, then data at multiples of
 * `general.alignment`. Read through a window of a few hundred KB, so that a huge vocabulary never blocks the event loop.
 * Specification: ggml docs/gguf.md.
 */
import type { ByteFile } from './byte-file.ts'
import type { TensorInfo } from './checkpoint.ts'
import { createCursor, type Cursor } from './gguf-cursor.ts'
import { ALIGNMENT_MAX, ARRAY_DEPTH_MAX, ARRAY_ELEMENTS_MAX, GGUF_DIMENSIONS_MAX, KEY_BYTES_MAX, KEY_VALUES_MAX, METADATA_BYTES_MAX, NAME_BYTES_MAX, TENSORS_MAX } from './limits.ts'
import { malformed, unsupportedType } from './problems.ts'
import { elementCount, ggufStorage, ggufStorageTypes, ggufTypeNames, ggufUnread } from './types.ts'

export type GgufScalar = number | bigint | boolean | string
/** Number arrays come as typed arrays, others as plain ones; integers past 2⁵³ as bigint. */
export type GgufValue = GgufScalar | readonly GgufValue[] | Float32Array | Float64Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array

export interface GgufHeader {
  readonly version: number
  readonly tensors: readonly TensorInfo[]
  readonly metadata: Readonly<Record<string, GgufValue>>
  readonly alignment: number
  readonly dataOffset: number
}

type NumberArray = Extract<GgufValue, ArrayBufferView>
interface ScalarType {
  readonly bytes: number
  readonly read: (cursor: Cursor) => GgufScalar
  readonly array?: (length: number) => NumberArray
}

function shorten(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
}

/** Value types of fixed size by their number in the file; 8 is a string, 9 an array. */
const scalarTypes: Readonly<Record<number, ScalarType>> = {
  0: { bytes: 1, read: (c) => c.view.getUint8(c.take(1)), array: (n) => new Uint8Array(n) },
  1: { bytes: 1, read: (c) => c.view.getInt8(c.take(1)), array: (n) => new Int8Array(n) },
  2: { bytes: 2, read: (c) => c.view.getUint16(c.take(2), true), array: (n) => new Uint16Array(n) },
  3: { bytes: 2, read: (c) => c.view.getInt16(c.take(2), true), array: (n) => new Int16Array(n) },
  4: { bytes: 4, read: (c) => c.view.getUint32(c.take(4), true), array: (n) => new Uint32Array(n) },
  5: { bytes: 4, read: (c) => c.view.getInt32(c.take(4), true), array: (n) => new Int32Array(n) },
  6: { bytes: 4, read: (c) => c.view.getFloat32(c.take(4), true), array: (n) => new Float32Array(n) },
  7: { bytes: 1, read: (c) => c.view.getUint8(c.take(1)) !== 0 },
  10: { bytes: 8, read: (c) => shorten(c.view.getBigUint64(c.take(8), true)) },
  11: { bytes: 8, read: (c) => shorten(c.view.getBigInt64(c.take(8), true)) },
  12: { bytes: 8, read: (c) => c.view.getFloat64(c.take(8), true), array: (n) => new Float64Array(n) },
}
const STRING = 8
const ARRAY = 9

async function readU32(cursor: Cursor, what: string): Promise<number> {
  await cursor.need(4, what)
  return cursor.view.getUint32(cursor.take(4), true)
}

/** A u64 that counts something: refused where it is above `limit`. */
async function readCount(cursor: Cursor, what: string, limit: number): Promise<number> {
  await cursor.need(8, what)
  const value = cursor.view.getBigUint64(cursor.take(8), true)
  if (value > BigInt(limit)) throw malformed(`${cursor.path}: ${what}`, String(value), `at most ${limit}`)
  return Number(value)
}

async function readString(cursor: Cursor, what: string, limit: number): Promise<string> {
  const length = await readCount(cursor, `length of ${what}`, limit)
  await cursor.need(length, what)
  return cursor.text(length)
}

async function readArray(cursor: Cursor, what: string, depth: number): Promise<GgufValue> {
  const type = await readU32(cursor, `element type of ${what}`)
  const length = await readCount(cursor, `length of array ${what}`, ARRAY_ELEMENTS_MAX)
  const scalar = scalarTypes[type]
  if (scalar) {
    cursor.claim(length * scalar.bytes, what)
    const plain: GgufScalar[] = []
    const typed = scalar.array?.(length)
    for (let i = 0; i < length; i++) {
      if (cursor.left() < scalar.bytes) await cursor.need(scalar.bytes, what)
      const value = scalar.read(cursor)
      if (typed && typeof value === 'number') typed[i] = value
      else plain.push(value)
    }
    return typed ?? plain
  }
  if (type === STRING) {
    cursor.claim(length * 8, what)
    const strings: string[] = []
    for (let i = 0; i < length; i++) strings.push(cursor.tryText() ?? (await readString(cursor, what, METADATA_BYTES_MAX)))
    return strings
  }
  if (type !== ARRAY) throw malformed(`${cursor.path}: array ${what}`, `element type ${type}`, 'a value type from 0 to 12')
  if (depth >= ARRAY_DEPTH_MAX) throw malformed(`${cursor.path}: array ${what}`, `more than ${ARRAY_DEPTH_MAX} arrays inside each other`, 'plain arrays')
  cursor.claim(length * 12, what)
  const arrays: GgufValue[] = []
  for (let i = 0; i < length; i++) arrays.push(await readArray(cursor, what, depth + 1))
  return arrays
}

async function readValue(cursor: Cursor, key: string): Promise<GgufValue> {
  const what = `value of "${key}"`
  const type = await readU32(cursor, `type of "${key}"`)
  if (type === STRING) return readString(cursor, what, METADATA_BYTES_MAX)
  if (type === ARRAY) return readArray(cursor, `"${key}"`, 1)
  const scalar = scalarTypes[type]
  if (!scalar) throw malformed(`${cursor.path}: key "${key}"`, `value type ${type}`, 'a value type from 0 to 12')
  await cursor.need(scalar.bytes, what)
  return scalar.read(cursor)
}

interface RawTensor {
  readonly name: string
  readonly type: number
  readonly shape: readonly number[]
  readonly offset: number
}

async function readTensorInfo(cursor: Cursor, index: number): Promise<RawTensor> {
  const name = await readString(cursor, `name of tensor ${index + 1}`, NAME_BYTES_MAX)
  const count = await readU32(cursor, `dimensions of "${name}"`)
  if (count > GGUF_DIMENSIONS_MAX) throw malformed(`${cursor.path}: tensor "${name}"`, `${count} dimensions`, `at most ${GGUF_DIMENSIONS_MAX}`)
  const shape: number[] = []
  for (let i = 0; i < count; i++) shape.push(await readCount(cursor, `dimension of "${name}"`, Number.MAX_SAFE_INTEGER))
  const type = await readU32(cursor, `type of "${name}"`)
  const offset = await readCount(cursor, `offset of "${name}"`, Number.MAX_SAFE_INTEGER)
  return { name, type, shape: shape.reverse(), offset }
}

function place(file: ByteFile, raw: RawTensor, dataOffset: number, alignment: number): TensorInfo {
  const where = `${file.path}: tensor "${raw.name}"`
  const type = ggufTypeNames.get(raw.type)
  if (!type) throw unsupportedType(where, ggufUnread[raw.type] ?? `number ${raw.type} (unknown)`, ggufStorageTypes)
  const { block, bytes } = ggufStorage[type]
  const elements = elementCount(raw.shape)
  const columns = raw.shape.at(-1) ?? 1
  if (elements === null) throw malformed(where, `shape [${raw.shape.join(', ')}]`, 'a shape that fits into a file')
  if (columns % block !== 0) throw malformed(where, `rows of ${columns} weights`, `a multiple of ${type}'s block of ${block}`)
  if (raw.offset % alignment !== 0) throw malformed(where, `offset ${raw.offset}`, `a multiple of the alignment ${alignment}`)
  const byteLength = (elements / block) * bytes
  const offset = dataOffset + raw.offset
  if (offset + byteLength > file.sizeBytes) {
    throw malformed(where, `bytes ${offset} to ${offset + byteLength} of a file of ${file.sizeBytes} bytes`, 'a range inside the file')
  }
  return { name: raw.name, type, shape: raw.shape, file: file.path, offset, byteLength }
}

/** Ranges in file order may neither overlap nor leave more between them than padding. */
function checkCoverage(path: string, tensors: readonly TensorInfo[], dataOffset: number, alignment: number): void {
  let position = dataOffset
  for (const tensor of tensors) {
    const where = `${path}: tensor "${tensor.name}"`
    if (tensor.offset < position) throw malformed(where, `a range that begins ${position - tensor.offset} bytes before the end of the tensor before it`, 'ranges that do not overlap')
    if (tensor.offset - position >= alignment) throw malformed(where, `${tensor.offset - position} unused bytes before it`, `at most the padding to ${alignment} bytes`)
    position = tensor.offset + tensor.byteLength
  }
}

function readAlignment(path: string, metadata: Readonly<Record<string, GgufValue>>): number {
  const alignment = metadata['general.alignment'] ?? 32
  if (typeof alignment !== 'number' || alignment < 1 || alignment > ALIGNMENT_MAX || !Number.isInteger(Math.log2(alignment))) {
    throw malformed(`${path}: general.alignment`, String(alignment), `a power of two up to ${ALIGNMENT_MAX}`)
  }
  return alignment
}

async function readVersion(cursor: Cursor): Promise<number> {
  const magic = await readU32(cursor, 'magic number')
  if (magic !== 0x46554747) throw malformed(cursor.path, 'other first bytes', 'the letters GGUF')
  const version = await readU32(cursor, 'version')
  if (version === 2 || version === 3) return version
  if (version === 0x02000000 || version === 0x03000000) throw malformed(cursor.path, 'a big-endian GGUF file', 'a little-endian one', 'Convert it with gguf-convert-endian, or download the little-endian file.')
  throw malformed(cursor.path, `GGUF version ${version}`, 'version 2 or 3', 'Convert the model again with a current llama.cpp.')
}

/** Reads and checks the header; tensors come in file order, shapes outermost dimension first. */
export async function readGgufHeader(file: ByteFile): Promise<GgufHeader> {
  const cursor = createCursor(file, METADATA_BYTES_MAX)
  const version = await readVersion(cursor)
  const tensorCount = await readCount(cursor, 'number of tensors', TENSORS_MAX)
  const keyCount = await readCount(cursor, 'number of key-values', KEY_VALUES_MAX)
  const entries = new Map<string, GgufValue>()
  for (let i = 0; i < keyCount; i++) {
    const key = await readString(cursor, `key ${i + 1}`, KEY_BYTES_MAX)
    if (entries.has(key)) throw malformed(`${file.path}: key-values`, `the key "${key}" twice`, 'each key once')
    entries.set(key, await readValue(cursor, key))
  }
  const metadata = Object.fromEntries(entries)
  const alignment = readAlignment(file.path, metadata)
  const raw: RawTensor[] = []
  const names = new Set<string>()
  for (let i = 0; i < tensorCount; i++) {
    const tensor = await readTensorInfo(cursor, i)
    if (names.has(tensor.name)) throw malformed(`${file.path}: tensors`, `the tensor name "${tensor.name}" twice`, 'each name once')
    names.add(tensor.name)
    raw.push(tensor)
  }
  const dataOffset = Math.ceil(cursor.position() / alignment) * alignment
  const tensors = raw.map((tensor) => place(file, tensor, dataOffset, alignment)).sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)
  checkCoverage(file.path, tensors, dataOffset, alignment)
  return { version, tensors, metadata, alignment, dataOffset }
}
