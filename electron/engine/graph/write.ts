/**
 * @file Writes an ONNX file, weights streamed from wherever they are. With external data the order is: data to a temporary
 * file, old model away, data renamed, model renamed; so a model never stands beside data that is not its own.
 */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { AppError, assert } from '../../contract/errors.ts'
import { openBytes, type ByteFile } from '../io/byte-file.ts'
import { checkAbsent, writeWhole, type WriteOptions, type Written } from '../io/write-file.ts'
import { byteLength } from './element.ts'
import { encodePieces } from './encode.ts'
import { initializerBytes } from './tensor.ts'
import type { Attribute, Graph, Initializer, Node } from './graph.ts'

export interface WriteModelOptions extends WriteOptions {
  /** Put weights in a file of this name beside the model (true: the model's name with `.data`). */
  readonly externalData?: boolean | string
  /** Payloads made as they are written, by initializer; the ranges in the graph are placeholders for them. */
  readonly payloads?: Payloads
}

/** What makes an initializer's bytes, in pieces. */
export type Payloads = ReadonlyMap<string, () => AsyncIterable<Uint8Array>>

/** Weights from this size on go to the external file. */
const EXTERNAL_BYTES_MIN = 1024
/** The protobuf format ends at 2 GiB. */
const MODEL_BYTES_MAX = 2 ** 31 - 1
/** A page: lets the runtime map a tensor in place of copying it. */
const ALIGNMENT = 4096
const PIECE_BYTES = 8 << 20

interface Arrangement {
  /** The model's own message, with ranges of the data file in it. */
  readonly graph: Graph
  /** Initializers whose payload is streamed into the model file. */
  readonly kept: readonly Initializer[]
  /** Initializers in the data file, with the payload they come from. */
  readonly moved: readonly Initializer[]
  readonly dataName: string | null
  readonly dataBytes: number
}

async function arrange(source: Graph, file: string, externalData: boolean | string): Promise<Arrangement> {
  const graph = { ...source, nodes: await Promise.all(source.nodes.map(withOwnTensors)) }
  if (externalData === false) return { graph, kept: outside(graph), moved: [], dataName: null, dataBytes: 0 }
  const dataName = externalData === true ? `${path.basename(file)}.data` : externalData
  if (path.basename(dataName) !== dataName || dataName === '') throw new AppError('bad-request', `external data: found '${dataName}', expected the name of a file beside the model`)
  const moved = [...graph.initializers.values()].filter((value) => byteLength(value.type, value.dims) >= EXTERNAL_BYTES_MIN)
  const initializers = new Map(graph.initializers)
  let offset = 0
  let end = 0
  for (const value of moved) {
    const length = byteLength(value.type, value.dims)
    initializers.set(value.name, { ...value, data: { path: dataName, offset, length } })
    end = offset + length
    offset = aligned(end)
  }
  return { graph: { ...graph, initializers }, kept: outside(graph).filter((value) => !moved.includes(value)), moved, dataName, dataBytes: end }
}

/** Bytes that `writeModel` will write, model and data together. Nothing is read. */
export async function modelBytes(source: Graph, file: string, externalData: boolean | string = false): Promise<number> {
  const { graph, kept, dataBytes } = await arrange(source, file, externalData)
  return encodePieces(graph, kept).sizeBytes + dataBytes
}

/** Writes `graph` to `file`. Returns what was written, model and data. @throws AppError file-exists, disk-full, bad-request (over 2 GiB in one file) */
export async function writeModel(source: Graph, file: string, { externalData = false, payloads = new Map(), ...options }: WriteModelOptions = {}): Promise<{ model: Written; data: Written | null }> {
  const { graph, kept, moved, dataName } = await arrange(source, file, externalData)
  if (dataName === null) return { model: await writeOne(graph, kept, file, payloads, options), data: null }
  if (options.overwrite !== true) await checkAbsent(file)
  if (options.overwrite === true) await rm(file, { force: true })
  const data = await writeWhole(path.join(path.dirname(file), dataName), dataChunks(moved, payloads), options)
  return { model: await writeOne(graph, kept, file, payloads, options), data }
}

function outside(graph: Graph): Initializer[] {
  return [...graph.initializers.values()].filter(({ data }) => !(data instanceof Uint8Array))
}

/** A node whose attributes hold their tensors themselves: those are written with the node, whatever their size. */
async function withOwnTensors(node: Node): Promise<Node> {
  const attributes: Record<string, Attribute> = {}
  for (const [name, value] of Object.entries(node.attributes)) {
    if ('tensor' in value) attributes[name] = { tensor: await inMemory(value.tensor) }
    else if ('graph' in value) {
      const initializers = await Promise.all([...value.graph.initializers.values()].map(inMemory))
      const nodes = await Promise.all(value.graph.nodes.map(withOwnTensors))
      attributes[name] = { graph: { ...value.graph, nodes, initializers: new Map(initializers.map((tensor) => [tensor.name, tensor])) } }
    } else attributes[name] = value
  }
  return { ...node, attributes }
}

async function inMemory(tensor: Initializer): Promise<Initializer> {
  return { ...tensor, data: await initializerBytes(tensor) }
}

async function writeOne(graph: Graph, streamed: readonly Initializer[], file: string, payloads: Payloads, options: WriteOptions): Promise<Written> {
  const { pieces, sizeBytes } = encodePieces(graph, streamed)
  if (sizeBytes > MODEL_BYTES_MAX) {
    throw new AppError('bad-request', `${file}: the model takes ${sizeBytes} bytes, expected at most ${MODEL_BYTES_MAX} in one file`, { hint: 'Write its weights to an external data file.' })
  }
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (const [index, piece] of pieces.entries()) {
      yield piece
      const value = streamed[index]
      if (value !== undefined) yield* payload(value, payloads)
    }
  }
  return writeWhole(file, chunks(), options)
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT
}

async function* dataChunks(values: readonly Initializer[], payloads: Payloads): AsyncGenerator<Uint8Array> {
  let offset = 0
  for (const value of values) {
    yield new Uint8Array(aligned(offset) - offset)
    yield* payload(value, payloads)
    offset = aligned(offset) + byteLength(value.type, value.dims)
  }
}

async function* payload({ name, type, dims, data }: Initializer, payloads: Payloads): AsyncGenerator<Uint8Array> {
  const make = payloads.get(name)
  if (make !== undefined) {
    let written = 0
    for await (const piece of make()) {
      written += piece.length
      yield piece
    }
    assert(written === byteLength(type, dims), `the payload of '${name}' has ${written} bytes`)
    return
  }
  if (data instanceof Uint8Array) {
    yield data
    return
  }
  const file: ByteFile = await openBytes(data.path)
  try {
    for (let done = 0; done < data.length; done += PIECE_BYTES) {
      yield await file.read(data.offset + done, Math.min(PIECE_BYTES, data.length - done), `tensor '${name}'`)
    }
  } finally {
    await file.close()
  }
}
