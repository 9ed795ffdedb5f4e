/**
 * @file The header of a safetensors file: u64 length, then JSON of name → { dtype, shape, data_offsets }. Checked as the format's own
 * implementation does: the ranges, in order, must cover the data without overlap or hole, and each must hold exactly its shape.
 */
import type { ByteFile } from './byte-file.ts'
import type { TensorInfo } from './checkpoint.ts'
import { isObject, outline, parseJson } from './json.ts'
import { DIMENSIONS_MAX, HEADER_BYTES_MAX, NAME_BYTES_MAX, TENSORS_MAX } from './limits.ts'
import { malformed, unsupportedType } from './problems.ts'
import { elementCount, safetensorsTypes, type SafetensorsType } from './types.ts'

export interface SafetensorsHeader {
  readonly tensors: readonly TensorInfo[]
  readonly metadata: Readonly<Record<string, string>>
}

/** The length of the header's JSON from the first 8 bytes; null where this cannot be a safetensors file. */
export function headerLength(first: Uint8Array, sizeBytes: number): number | null {
  if (first.length < 8) return null
  const length = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true)
  return length >= 2n && length <= BigInt(sizeBytes - 8) ? Number(length) : null
}

function isSafetensorsType(name: unknown): name is SafetensorsType {
  return typeof name === 'string' && Object.hasOwn(safetensorsTypes, name)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function readTensor(file: ByteFile, dataStart: number, name: string, entry: unknown): TensorInfo {
  const where = `${file.path}: tensor "${name}"`
  if (!isObject(entry)) throw malformed(where, String(entry), 'an object with dtype, shape and data_offsets')
  const { dtype, shape, data_offsets: range } = entry
  if (!isSafetensorsType(dtype)) throw unsupportedType(where, String(dtype), Object.keys(safetensorsTypes))
  if (!Array.isArray(shape) || shape.length > DIMENSIONS_MAX || !shape.every(isCount)) {
    throw malformed(where, `shape ${JSON.stringify(shape)}`, `at most ${DIMENSIONS_MAX} whole dimensions`)
  }
  if (!Array.isArray(range) || range.length !== 2 || !range.every(isCount)) {
    throw malformed(where, `data_offsets ${JSON.stringify(range)}`, 'two whole numbers: begin and end')
  }
  const [begin = 0, end = 0] = range
  const dataBytes = file.sizeBytes - dataStart
  if (begin > end) throw malformed(where, `data_offsets [${begin}, ${end}]`, 'an end not before the beginning')
  if (end > dataBytes) throw malformed(where, `data_offsets [${begin}, ${end}]`, `a range inside the ${dataBytes} bytes of data that the file has`)
  const elements = elementCount(shape)
  const { type, bytes } = safetensorsTypes[dtype]
  if (elements === null || elements * bytes !== end - begin) {
    throw malformed(where, `${end - begin} bytes for shape [${shape.join(', ')}] of ${dtype}`, elements === null ? 'a shape that fits into a file' : `${elements * bytes} bytes`)
  }
  return { name, type, shape, file: file.path, offset: dataStart + begin, byteLength: end - begin }
}

function readMetadata(path: string, value: unknown): Record<string, string> {
  if (value === undefined) return {}
  const where = `${path}: __metadata__`
  if (!isObject(value)) throw malformed(where, typeof value, 'an object of strings')
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) => {
      if (typeof text !== 'string') throw malformed(`${where} "${key}"`, typeof text, 'a string')
      return [key, text]
    }),
  )
}

/** Ranges in file order must follow each other without overlap or hole and end where the file ends. */
function checkCoverage(file: ByteFile, dataStart: number, tensors: readonly TensorInfo[]): void {
  let position = dataStart
  let previous = 'the header'
  for (const tensor of tensors) {
    const where = `${file.path}: tensor "${tensor.name}"`
    if (tensor.offset < position) throw malformed(where, `a range that begins ${position - tensor.offset} bytes before the end of ${previous}`, 'ranges that do not overlap')
    if (tensor.offset > position) throw malformed(where, `${tensor.offset - position} unused bytes between it and ${previous}`, 'ranges without holes')
    position = tensor.offset + tensor.byteLength
    previous = `"${tensor.name}"`
  }
  if (position !== file.sizeBytes) throw malformed(file.path, `${file.sizeBytes - position} bytes after the last tensor`, `a file of ${position} bytes`)
}

/** Reads and checks the header; tensors come in file order. */
export async function readSafetensorsHeader(file: ByteFile): Promise<SafetensorsHeader> {
  const first = await file.read(0, Math.min(8, file.sizeBytes), 'header length')
  const length = headerLength(first, file.sizeBytes)
  if (length === null) throw malformed(`${file.path}: header length`, `a file of ${file.sizeBytes} bytes whose first 8 give a longer header`, 'a header inside the file')
  if (length > HEADER_BYTES_MAX) throw malformed(`${file.path}: header`, `${length} bytes`, `at most ${HEADER_BYTES_MAX} bytes`)
  const where = `${file.path}: header`
  const bytes = await file.read(8, length, 'header')
  const header = parseJson(bytes, where)
  const { keys } = outline(new TextDecoder().decode(bytes))
  if (keys.length > TENSORS_MAX) throw malformed(where, `${keys.length} tensors`, `at most ${TENSORS_MAX}`)
  const seen = new Set<string>()
  for (const key of keys) {
    const name: unknown = JSON.parse(key)
    if (typeof name !== 'string') continue
    if (seen.has(name)) throw malformed(where, `the tensor name "${name}" twice`, 'each name once')
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) throw malformed(where, `a tensor name of ${Buffer.byteLength(name)} bytes`, `at most ${NAME_BYTES_MAX}`)
    seen.add(name)
  }
  const { __metadata__: metadata, ...entries } = header
  const tensors = Object.entries(entries)
    .map(([name, entry]) => readTensor(file, 8 + length, name, entry))
    .sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength)
  checkCoverage(file, 8 + length, tensors)
  return { tensors, metadata: readMetadata(file.path, metadata) }
}
