/**
 * @file Writes GGUF version 3: header, key-values, tensor infos, then the tensors' bytes at multiples of the alignment, streamed.
 * The size is known before anything is written.
 */
import { assert } from '../../contract/errors.ts'
import { elementCount, ggufStorage, type GgufStorageType } from './types.ts'
import { writeWhole, type Chunks, type WriteOptions, type Written } from './write-file.ts'

/** Value types of fixed size: number in the file, bytes, and how one is put into a view. */
const scalars = {
  u8: { id: 0, bytes: 1, put: (v: DataView, at: number, x: number) => v.setUint8(at, x) },
  i8: { id: 1, bytes: 1, put: (v: DataView, at: number, x: number) => v.setInt8(at, x) },
  u16: { id: 2, bytes: 2, put: (v: DataView, at: number, x: number) => v.setUint16(at, x, true) },
  i16: { id: 3, bytes: 2, put: (v: DataView, at: number, x: number) => v.setInt16(at, x, true) },
  u32: { id: 4, bytes: 4, put: (v: DataView, at: number, x: number) => v.setUint32(at, x, true) },
  i32: { id: 5, bytes: 4, put: (v: DataView, at: number, x: number) => v.setInt32(at, x, true) },
  f32: { id: 6, bytes: 4, put: (v: DataView, at: number, x: number) => v.setFloat32(at, x, true) },
  bool: { id: 7, bytes: 1, put: (v: DataView, at: number, x: number) => v.setUint8(at, x) },
  u64: { id: 10, bytes: 8, put: (v: DataView, at: number, x: number | bigint) => v.setBigUint64(at, BigInt(x), true) },
  i64: { id: 11, bytes: 8, put: (v: DataView, at: number, x: number | bigint) => v.setBigInt64(at, BigInt(x), true) },
  f64: { id: 12, bytes: 8, put: (v: DataView, at: number, x: number) => v.setFloat64(at, x, true) },
} as const
const STRING = 8
const ARRAY = 9

export type GgufNumberType = Exclude<keyof typeof scalars, 'bool' | 'u64' | 'i64'>
export type GgufEntry =
  | { readonly type: GgufNumberType; readonly value: number }
  | { readonly type: 'u64' | 'i64'; readonly value: number | bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'array'; readonly of: GgufNumberType; readonly value: ArrayLike<number> }
  | { readonly type: 'array'; readonly of: 'u64' | 'i64'; readonly value: readonly (number | bigint)[] }
  | { readonly type: 'array'; readonly of: 'bool'; readonly value: readonly boolean[] }
  | { readonly type: 'array'; readonly of: 'string'; readonly value: readonly string[] }

export type GgufEntries = Readonly<Record<string, GgufEntry>>

export interface GgufTensor {
  readonly name: string
  readonly type: GgufStorageType
  /** Outermost dimension first; written innermost first, as the format wants it. */
  readonly shape: readonly number[]
  /** The stored bytes, in any number of pieces; called once, when the tensor's turn comes. */
  readonly data: () => Chunks
}
export type GgufTensorInfo = Omit<GgufTensor, 'data'>

/** Where tensor data begins and how it is padded: llama.cpp's default. */
export const GGUF_ALIGNMENT = 32

function padded(bytes: number): number {
  return Math.ceil(bytes / GGUF_ALIGNMENT) * GGUF_ALIGNMENT
}

function stringBytes(text: string): number {
  return 8 + Buffer.byteLength(text)
}

function entryBytes(entry: GgufEntry): number {
  if (entry.type === 'string') return stringBytes(entry.value)
  if (entry.type !== 'array') return scalars[entry.type].bytes
  if (entry.of === 'string') return entry.value.reduce((sum, text) => sum + stringBytes(text), 12)
  return 12 + entry.value.length * scalars[entry.of].bytes
}

/** Bytes of a tensor's data. Rows must be whole blocks. */
export function ggufTensorBytes(type: GgufStorageType, shape: readonly number[]): number {
  const { block, bytes } = ggufStorage[type]
  const elements = elementCount(shape)
  assert(elements !== null && (shape.at(-1) ?? 1) % block === 0, `[${shape.join(', ')}] does not fit ${type}'s block of ${block}`)
  return (elements / block) * bytes
}

function headerBytes(entries: GgufEntries, tensors: readonly GgufTensorInfo[]): number {
  let bytes = 24
  for (const [key, entry] of Object.entries(entries)) bytes += stringBytes(key) + 4 + entryBytes(entry)
  for (const { name, shape } of tensors) bytes += stringBytes(name) + 4 + 8 * shape.length + 12
  return bytes
}

/** Exact size of the file that `writeGguf` makes. */
export function ggufSize(entries: GgufEntries, tensors: readonly GgufTensorInfo[]): number {
  return padded(headerBytes(entries, tensors)) + tensors.reduce((sum, { type, shape }) => sum + padded(ggufTensorBytes(type, shape)), 0)
}

interface Sink {
  readonly number: (type: keyof typeof scalars, value: number | bigint) => void
  readonly text: (text: string) => void
}

/** A sink that writes into one buffer of known size. */
function createSink(buffer: Uint8Array): Sink {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
  const encoder = new TextEncoder()
  let at = 0
  function number(type: keyof typeof scalars, value: number | bigint): void {
    if (type === 'u64' || type === 'i64') scalars[type].put(view, at, value)
    else scalars[type].put(view, at, Number(value))
    at += scalars[type].bytes
  }
  function text(value: string): void {
    const { written } = encoder.encodeInto(value, buffer.subarray(at + 8))
    number('u64', written)
    at += written
  }
  return { number, text }
}

function putEntry(sink: Sink, entry: GgufEntry): void {
  if (entry.type === 'string') {
    sink.number('u32', STRING)
    sink.text(entry.value)
  } else if (entry.type !== 'array') {
    sink.number('u32', scalars[entry.type].id)
    sink.number(entry.type, typeof entry.value === 'boolean' ? Number(entry.value) : entry.value)
  } else {
    sink.number('u32', ARRAY)
    sink.number('u32', entry.of === 'string' ? STRING : scalars[entry.of].id)
    sink.number('u64', entry.value.length)
    if (entry.of === 'string') entry.value.forEach(sink.text)
    else for (let i = 0; i < entry.value.length; i++) sink.number(entry.of, toNumber(entry.value[i]))
  }
}

function toNumber(value: number | bigint | boolean | undefined): number | bigint {
  return typeof value === 'bigint' ? value : Number(value)
}

/** The header as pieces, one a key-value, so that a large vocabulary does not hold up the event loop. */
function* headerPieces(entries: GgufEntries, tensors: readonly GgufTensorInfo[]): Generator<Uint8Array> {
  const start = new Uint8Array(24)
  const sink = createSink(start)
  sink.number('u32', 0x46554747)
  sink.number('u32', 3)
  sink.number('u64', tensors.length)
  sink.number('u64', Object.keys(entries).length)
  yield start
  for (const [key, entry] of Object.entries(entries)) {
    const piece = new Uint8Array(stringBytes(key) + 4 + entryBytes(entry))
    const pieceSink = createSink(piece)
    pieceSink.text(key)
    putEntry(pieceSink, entry)
    yield piece
  }
  yield tensorInfos(tensors)
  yield new Uint8Array(padded(headerBytes(entries, tensors)) - headerBytes(entries, tensors))
}

function tensorInfos(tensors: readonly GgufTensorInfo[]): Uint8Array {
  const piece = new Uint8Array(headerBytes({}, tensors) - 24)
  const sink = createSink(piece)
  let offset = 0
  for (const { name, type, shape } of tensors) {
    sink.text(name)
    sink.number('u32', shape.length)
    for (const dimension of shape.toReversed()) sink.number('u64', dimension)
    sink.number('u32', ggufStorage[type].id)
    sink.number('u64', offset)
    offset += padded(ggufTensorBytes(type, shape))
  }
  return piece
}

async function* filePieces(entries: GgufEntries, tensors: readonly GgufTensor[]): AsyncGenerator<Uint8Array> {
  yield* headerPieces(entries, tensors)
  for (const { name, type, shape, data } of tensors) {
    const expected = ggufTensorBytes(type, shape)
    let bytes = 0
    for await (const chunk of data()) {
      bytes += chunk.length
      yield chunk
    }
    assert(bytes === expected, `${name} gave ${bytes} bytes, its shape takes ${expected}`)
    yield new Uint8Array(padded(expected) - expected)
  }
}

/** Writes a GGUF file (temporary file, fsync, rename); tensors are asked for their bytes one after the other. */
export async function writeGguf(file: string, entries: GgufEntries, tensors: readonly GgufTensor[], options: WriteOptions = {}): Promise<Written> {
  return writeWhole(file, filePieces(entries, tensors), options)
}
