/** @file Reads protobuf messages field by field through the library's reader: one handler a field, unknown fields are passed over. */
import { Reader } from 'protobufjs'
import { AppError } from '../../contract/errors.ts'
import { malformed } from '../io/problems.ts'

interface Field {
  /** Wire types the format allows for it: two for packed numbers. */
  readonly wires: readonly number[]
  read(reader: Reader, wire: number): void
}

const varintWire = 0
const fixed64Wire = 1
const bytesWire = 2
const fixed32Wire = 5

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The largest double below 2^63: "to the end" in Slice is written as 2^63 − 1. */
const INT64_MAX = 9223372036854774784

/** 64-bit integers as numbers: exact to 2^53, which no dimension or index passes; larger ones are nearest. */
function integer(reader: Reader): number {
  const start = reader.pos
  let value = 0
  for (let scale = 1; scale < 2 ** 49 && reader.pos < reader.len; scale *= 128) {
    const byte = reader.buf[reader.pos++] ?? 0
    value += (byte & 127) * scale
    if (byte < 128) return value
  }
  reader.pos = start
  return Math.min(INT64_MAX, Number(bigint(reader)))
}

function bigint(reader: Reader): bigint {
  let value = 0n
  for (let shift = 0n; shift < 70n; shift += 7n) {
    if (reader.pos >= reader.len) throw new RangeError('end of message')
    const byte = BigInt(reader.buf[reader.pos++] ?? 0)
    value |= (byte & 127n) << shift
    if (byte < 128n) return BigInt.asIntN(64, value)
  }
  throw new RangeError('a number of more than 10 bytes')
}

function repeated(wire: number, one: (reader: Reader) => void): Field {
  return {
    wires: [wire, bytesWire],
    read(reader, found) {
      if (found !== bytesWire) {
        one(reader)
        return
      }
      const end = reader.uint32() + reader.pos
      while (reader.pos < end) one(reader)
    },
  }
}

/** A message in a message: `read` gets its bytes. */
export function message(take: (bytes: Uint8Array) => void): Field {
  return { wires: [bytesWire], read: (reader) => take(reader.bytes()) }
}

export function text(take: (value: string) => void): Field {
  return { wires: [bytesWire], read: (reader) => take(utf8.decode(reader.bytes())) }
}

export function int(take: (value: number) => void): Field {
  return { wires: [varintWire], read: (reader) => take(integer(reader)) }
}

export function float(take: (value: number) => void): Field {
  return { wires: [fixed32Wire], read: (reader) => take(reader.float()) }
}

/** Repeated integers, packed or not. */
export function ints(list: number[]): Field {
  return repeated(varintWire, (reader) => list.push(integer(reader)))
}

/** Repeated 64-bit integers, every bit kept. */
export function bigints(list: bigint[]): Field {
  return repeated(varintWire, (reader) => list.push(bigint(reader)))
}

export function floats(list: number[]): Field {
  return repeated(fixed32Wire, (reader) => list.push(reader.float()))
}

export function doubles(list: number[]): Field {
  return repeated(fixed64Wire, (reader) => list.push(reader.double()))
}

/** Passes every field of a message to its handler. `where` begins the error of a malformed one. */
export function readFields(bytes: Uint8Array, where: string, fields: Readonly<Record<number, Field>>): void {
  const reader = Reader.create(bytes)
  try {
    while (reader.pos < reader.len) {
      const tag = reader.uint32()
      const field = fields[tag >>> 3]
      if (field === undefined) reader.skipType(tag & 7)
      else if (field.wires.includes(tag & 7)) field.read(reader, tag & 7)
      else throw malformed(where, `wire type ${tag & 7} in field ${tag >>> 3}`, field.wires.join(' or '))
    }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw malformed(where, `a damaged message (${cause instanceof Error ? cause.message : String(cause)})`, 'an ONNX message')
  }
}
