/**
 * @file Reads an ONNX file but for its big tensors: walks the protobuf wire format by ranges and copies everything except
 * payloads (raw_data, float_data, double_data) larger than a few kilobytes, which are replaced by a field that tells where
 * they lie. The copy is a valid message of a few megabytes, whatever the model.
 */
import { Writer } from 'protobufjs'
import type { ByteFile } from '../io/byte-file.ts'
import { malformed } from '../io/problems.ts'
import { INLINE_BYTES_MAX, SKELETON_BYTES_MAX, SUBGRAPH_DEPTH_MAX } from './limits.ts'

/** TensorProto field that stands for a payload left in the file: the message { 1: offset, 2: length }. The format does not use it. */
export const rangeField = 100

type Message = 'model' | 'graph' | 'node' | 'attribute' | 'function' | 'sparse' | 'tensor'

/** Fields that lead to tensors. */
const inside: Readonly<Record<Message, Readonly<Record<number, Message>>>> = {
  model: { 7: 'graph', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
}
/** float_data, raw_data, double_data: little-endian numbers one after the other, as they would be in raw_data. */
const payloadFields: ReadonlySet<number> = new Set([4, 9, 10])
const WINDOW_BYTES = 1 << 18
const VARINT_BYTES_MAX = 10
/** A graph in an attribute of a node of a graph: three messages a level. */
const DEPTH_MAX = 3 * SUBGRAPH_DEPTH_MAX + 3

/** The model message with its big payloads replaced by ranges. */
export async function readSkeleton(file: ByteFile): Promise<Uint8Array> {
  let window: Uint8Array = new Uint8Array(0)
  let windowStart = 0
  let position = 0
  let copied = 0
  const writer = Writer.create()

  async function byte(end: number): Promise<number> {
    if (position >= end) throw malformed(`${file.path}: byte ${position}`, 'the end of a message', 'a whole field')
    if (position < windowStart || position >= windowStart + window.length) {
      windowStart = position
      window = await file.read(position, Math.min(WINDOW_BYTES, file.sizeBytes - position), 'model')
    }
    return window[position++ - windowStart] ?? 0
  }

  async function varint(end: number): Promise<number> {
    const start = position
    let value = 0
    for (let index = 0; index < VARINT_BYTES_MAX; index++) {
      const next = await byte(end)
      value += (next & 127) * 2 ** (7 * index)
      if (next < 128) return value
    }
    throw malformed(`${file.path}: byte ${start}`, 'a number of more than 10 bytes', 'a protobuf number')
  }

  /** Appends the bytes [start, end) of the file as they are. */
  async function keep(target: Writer, start: number, end: number): Promise<void> {
    copied += end - start
    if (copied > SKELETON_BYTES_MAX) {
      throw malformed(file.path, `more than ${SKELETON_BYTES_MAX} bytes of nodes and of numbers stored one by one`, 'weights as raw_data or external data', 'Save the model again with a current version of the onnx package.')
    }
    const here = start >= windowStart && end <= windowStart + window.length
    target.raw(here ? window.subarray(start - windowStart, end - windowStart) : await file.read(start, end - start, 'model'))
    position = end
  }

  async function message(target: Writer, kind: Message, end: number, depth: number): Promise<void> {
    if (depth > DEPTH_MAX) throw malformed(`${file.path}: byte ${position}`, 'graphs inside graphs without end', `at most ${SUBGRAPH_DEPTH_MAX} levels`)
    while (position < end) {
      const start = position
      const tag = await varint(end)
      const field = Math.floor(tag / 8)
      const wire = tag % 8
      if (wire === 0) await varint(end)
      else if (wire === 1) position += 8
      else if (wire === 5) position += 4
      else if (wire === 2) {
        const length = await varint(end)
        const next = inside[kind][field]
        const payload = position
        if (payload + length > end) throw malformed(`${file.path}: byte ${start}`, `a field of ${length} bytes`, `at most ${end - payload}, the rest of its message`)
        position = payload + length
        if (kind === 'tensor' && field === rangeField) continue
        if (kind === 'tensor' && payloadFields.has(field) && length > INLINE_BYTES_MAX) {
          target.uint32(rangeField * 8 + 2).fork().uint32(8).uint64(payload).uint32(16).uint64(length).ldelim()
          continue
        }
        if (next !== undefined && length > INLINE_BYTES_MAX) {
          position = payload
          target.uint32(tag).fork()
          await message(target, next, payload + length, depth + 1)
          target.ldelim()
          continue
        }
      } else throw malformed(`${file.path}: byte ${start}`, `wire type ${wire}`, 'a protobuf message (is this an ONNX file?)')
      if (position > end) throw malformed(`${file.path}: byte ${start}`, 'the end of a message', 'a whole field')
      await keep(target, start, position)
    }
  }

  await message(writer, 'model', file.sizeBytes, 0)
  return writer.finish()
}
