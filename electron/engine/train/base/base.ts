/**
 * @file The base of a training run: a model whose layers stay as they are stored. It comes from a quantized checkpoint (GGUF,
 * packed safetensors) or from a checkpoint with the quantized layers of a job in the place of its own.
 */
import { createHash } from 'node:crypto'
import { kernels } from '../../../../kernels/kernels.ts'
import { AppError } from '../../../contract/errors.ts'
import type { CodecName } from '../../../contract/options.ts'
import type { ReadBlob } from '../../export/exporter.ts'
import { rowRange, type Placement } from '../../graph/decoder/weights.ts'
import type { DecoderSpec } from '../../graph/decoder/spec.ts'
import type { DecoderModel } from '../../session/model.ts'
import { headwiseRow, pairedRow } from '../../session/read-weight.ts'
import { openTables } from '../../session/tables.ts'
import { packedWeight, type BaseWeight } from './weight.ts'

export interface Base {
  /** Architecture, tokenizer's folder, norms and biases. */
  readonly model: DecoderModel
  /** The format a layer is stored in. A tied head is the embedding. */
  codec(layer: string): CodecName
  /** A layer in its codec's blocks, rows in the order of the graphs. */
  bytes(layer: string): Promise<Uint8Array>
  /** A layer as the graphs take it. Every call reads it anew. */
  weight(layer: string): Promise<BaseWeight>
  /** Hash of everything the layers are made of. */
  sha256(signal: AbortSignal): Promise<string>
  /** Bytes of the embedding that are in memory once rows of it are asked for. */
  readonly tableBytes: number
  /** Rows of the embedding that `tokens` need, and each token's place among them. */
  embedding(tokens: Int32Array): Promise<{ readonly table: Float32Array; readonly places: Int32Array }>
}

function isCodec(type: string | undefined): type is CodecName {
  return type !== undefined && kernels().codecBlock(type as CodecName) !== undefined
}

function shapeOf(model: DecoderModel, layer: string): readonly [number, number] {
  const found = model.layers.find(({ name }) => name === layer)
  if (found === undefined) throw new AppError('bad-request', `${model.path}: found no layer "${layer}" in this model`, { hint: 'Run "halftone inspect" for the names of its layers.' })
  return found.shape
}

/** The name under which a layer is stored. */
function stored(model: DecoderModel, layer: string): string {
  return layer === 'head' && model.spec.tied ? 'embedding' : layer
}

/** A weight from its stored bytes, or dense from the model where its format has no codes. */
async function load(model: DecoderModel, layer: string, codec: CodecName, bytes: () => Promise<Uint8Array>, dense: () => Promise<Float32Array>): Promise<BaseWeight> {
  const shape = shapeOf(model, layer)
  const format = kernels().planeFormat(codec)
  return format === undefined ? { weight: 'dense', shape, values: await dense() } : packedWeight(codec, format, shape, await bytes())
}

/** Where row `row` of a weight lies in its tensor, counted from the tensor's first row. */
function rowOrder(place: Placement, { headSize }: DecoderSpec): ((row: number) => number) | null {
  const paired = place.source.pairs === true ? (row: number): number => pairedRow(row, headSize) : null
  if (place.source.part?.order === 'by-head') return (row) => headwiseRow(paired?.(row) ?? row, place.index, place.rows.length, headSize)
  const [first] = rowRange(place)
  return paired && ((row) => first + paired(row))
}

async function checkpointBytes({ checkpoint, places, spec, path }: DecoderModel, layer: string): Promise<Uint8Array> {
  const place = places.get(layer)
  if (place === undefined) throw new AppError('bad-request', `${path}: found no layer "${layer}" in this model`)
  if (place.source.transposed === true) throw new AppError('unsupported-tensor', `${path}: tensor ${place.tensor}: found quantized weights stored [in, out], expected [out, in]`, { hint: 'Use the GGUF or the original of this model.' })
  const order = rowOrder(place, spec)
  if (order === null) return checkpoint.read(place.tensor, place.source.part === undefined ? undefined : rowRange(place))
  const [rows = 1] = place.shape
  const all = await checkpoint.read(place.tensor)
  const rowBytes = all.length / (checkpoint.tensors.get(place.tensor)?.shape[0] ?? rows)
  const bytes = new Uint8Array(rows * rowBytes)
  for (let row = 0; row < rows; row++) bytes.set(all.subarray(order(row) * rowBytes, (order(row) + 1) * rowBytes), row * rowBytes)
  return bytes
}

/** A checkpoint as the base: its quantized tensors stay packed, its others are dense. */
export function baseOfCheckpoint(model: DecoderModel): Base {
  const tables = openTables(model, 0)
  const codec = (layer: string): CodecName => {
    const type = model.checkpoint.tensors.get(model.places.get(stored(model, layer))?.tensor ?? '')?.type
    return isCodec(type) ? type : 'F32'
  }
  const bytes = (layer: string): Promise<Uint8Array> => checkpointBytes(model, stored(model, layer))
  return {
    model,
    codec,
    bytes,
    weight: (layer) => load(model, stored(model, layer), codec(layer), () => bytes(layer), () => model.readWeight(stored(model, layer))),
    sha256: (signal) => model.checkpoint.sha256(signal),
    tableBytes: 0,
    async embedding(tokens) {
      const { table, rows } = await tables.embeddingRows(tokens)
      return { table, places: Int32Array.from(rows, Number) }
    },
  }
}

async function decodedRows(codec: CodecName, [rows, cols]: readonly [number, number], bytes: Uint8Array, tokens: Int32Array): Promise<{ table: Float32Array; places: Int32Array }> {
  const rowBytes = bytes.length / rows
  const wanted = [...new Set(tokens)]
  const place = new Map(wanted.map((token, at) => [token, at]))
  const gathered = new Uint8Array(wanted.length * rowBytes)
  for (const [at, token] of wanted.entries()) gathered.set(bytes.subarray(token * rowBytes, (token + 1) * rowBytes), at * rowBytes)
  const table = new Float32Array(wanted.length * cols)
  await kernels().decode(codec, { rows: wanted.length, cols }, gathered, table)
  return { table, places: Int32Array.from(tokens, (token) => place.get(token) ?? 0) }
}

/** A checkpoint whose layers are replaced by quantized ones: `codecs` says in which format, `blob` gives their bytes. */
export function baseOfBlobs(model: DecoderModel, codecs: ReadonlyMap<string, CodecName>, blob: ReadBlob): Base {
  return overlaid(baseOfCheckpoint(model), codecs, blob)
}

/** Bytes of the embedding as it is stored in a format. */
export function tableBytes({ spec: { vocabulary, hidden } }: Pick<DecoderModel, 'spec'>, codec: CodecName | undefined): number | undefined {
  return codec && kernels().codecBytes(codec, { rows: vocabulary, cols: hidden })
}

function overlaid(own: Base, codecs: ReadonlyMap<string, CodecName>, blob: ReadBlob): Base {
  const { model } = own
  const replaced = (layer: string): CodecName | undefined => codecs.get(stored(model, layer))
  let table: Promise<Uint8Array> | undefined
  async function dense(layer: string, codec: CodecName): Promise<Float32Array> {
    const [rows, cols] = shapeOf(model, layer)
    const values = new Float32Array(rows * cols)
    await kernels().decode(codec, { rows, cols }, await blob(layer), values)
    return values
  }
  return {
    model,
    codec: (layer) => replaced(layer) ?? own.codec(layer),
    tableBytes: tableBytes(model, codecs.get('embedding')) ?? own.tableBytes,
    bytes: (layer) => (replaced(layer) === undefined ? own.bytes(layer) : blob(stored(model, layer))),
    async weight(layer) {
      const codec = replaced(layer)
      const name = stored(model, layer)
      return codec === undefined ? own.weight(layer) : load(model, name, codec, () => blob(name), () => dense(name, codec))
    },
    async sha256(signal) {
      const hash = createHash('sha256').update(await own.sha256(signal))
      for (const [layer, codec] of codecs) {
        signal.throwIfAborted()
        hash.update(`${layer} ${codec}\n`).update(await blob(layer))
      }
      return hash.digest('hex')
    },
    async embedding(tokens) {
      const codec = codecs.get('embedding')
      if (codec === undefined) return own.embedding(tokens)
      table ??= blob('embedding')
      return decodedRows(codec, shapeOf(model, 'embedding'), await table, tokens)
    },
  }
}

/** A base with some of its layers in other bytes of the same formats. */
export function withBlobs(base: Base, blobs: ReadonlyMap<string, Uint8Array>): Base {
  if (blobs.size === 0) return base
  const codecs = new Map([...blobs.keys()].map((layer) => [layer, base.codec(layer)]))
  return overlaid(base, codecs, (layer) => Promise.resolve(blobs.get(layer) ?? new Uint8Array()))
}
