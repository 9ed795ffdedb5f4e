/**
 * @file The tensors of a quantized Hugging Face folder: the source's own names and order, each quantized layer as the planes of a
 * packed layout, everything else as it is stored in the source.
 */
import { AppError, assert } from '../../contract/errors.ts'
import type { PackedLayoutName } from '../../contract/recipe.ts'
import { intFormats, type IntFormat } from '../budget/option-bytes.ts'
import { storedShape, type Placement } from '../graph/decoder/weights.ts'
import { packedPlanes, packPlanes, type PackedShape } from '../io/packed-layouts.ts'
import type { SafetensorsTensor } from '../io/safetensors-writer.ts'
import { safetensorsTypes, type SafetensorsType } from '../io/types.ts'
import type { DecoderModel } from '../session/model.ts'
import { arrange } from './arrange.ts'
import type { ReadBlob } from './exporter.ts'
import type { QuantizedModule } from './quantization-config.ts'

export interface FolderTensors {
  readonly tensors: readonly SafetensorsTensor[]
  /** Every linear layer of the model, quantized or not. */
  readonly modules: readonly QuantizedModule[]
}

interface Held {
  readonly tensor: string
  /** The weights the tensor holds, in its order. */
  readonly parts: readonly Placement[]
  readonly isLayer: boolean
}

function isSafetensorsType(name: string): name is SafetensorsType {
  return Object.hasOwn(safetensorsTypes, name)
}

/** The tensors of the source that the model computes with, in file order. */
function heldTensors({ checkpoint, places, layers }: DecoderModel): Held[] {
  const names = new Set(layers.map(({ name }) => name))
  const parts = Map.groupBy(places.values(), ({ tensor }) => tensor)
  return [...checkpoint.tensors.keys()].flatMap((tensor) => {
    const held = parts.get(tensor)
    return held === undefined ? [] : [{ tensor, parts: held.toSorted((a, b) => a.index - b.index), isLayer: held.some(({ name }) => names.has(name)) }]
  })
}

/** The one option of all weights in a tensor. */
function optionOf({ tensor, parts }: Held, options: ReadonlyMap<string, string>): string {
  const [option, ...others] = new Set(parts.map(({ name }) => options.get(name)))
  if (option === undefined || others.length > 0) {
    throw new AppError('bad-recipe', `tensor ${tensor}: found ${option === undefined ? 'no option' : 'different options'} for ${parts.map(({ name }) => name).join(', ')}, expected one for all`, { hint: 'Plan again: weights that share a tensor are tied.' })
  }
  return option
}

async function concatenate(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const list: Uint8Array[] = []
  for await (const piece of pieces) list.push(piece)
  return list.length === 1 && list[0] !== undefined ? list[0] : Buffer.concat(list)
}

/** [rows, cols] elements of 2 or 4 bytes as [cols, rows]. */
function transpose(data: Uint8Array, rows: number, cols: number, bytes: number): Uint8Array {
  const aligned = new Uint8Array(data).buffer // a copy: a Buffer may lie inside a shared pool
  const elements = bytes === 2 ? new Uint16Array(aligned) : new Uint32Array(aligned)
  const out = elements.slice()
  for (let row = 0; row < rows; row++) for (let col = 0; col < cols; col++) out[col * rows + row] = elements[row * cols + col]
  return new Uint8Array(out.buffer)
}

function packedTensors(layout: PackedLayoutName, module: string, shape: PackedShape, blocks: () => Promise<Uint8Array>): SafetensorsTensor[] {
  const planes = packedPlanes(layout, shape)
  let packed: Promise<ReadonlyMap<string, Uint8Array>> | undefined // kept from the first plane to the last
  return planes.map(({ suffix, type, shape: dims }, i) => ({
    name: `${module}.${suffix}`,
    type,
    shape: dims,
    data: async function* () {
      packed ??= blocks().then((bytes) => packPlanes(layout, shape, bytes))
      const plane = (await packed).get(suffix)
      if (i === planes.length - 1) packed = undefined
      assert(plane !== undefined, `${module} has no ${suffix}`)
      yield plane
    },
  }))
}

function checkPackable(layout: PackedLayoutName, { tensor, parts }: Held, option: string, { rows, cols }: PackedShape, isBlock: boolean): void {
  const refuse = (reason: string): AppError => new AppError('bad-recipe', `tensor ${tensor}: the ${layout} layout cannot hold the option ${option}: ${reason}`, { hint: 'Plan again for the target safetensors.' })
  if (!isBlock) throw refuse('it quantizes only the linear layers of the blocks')
  if (cols % 32 !== 0 || rows % 32 !== 0) throw refuse(`[${rows}, ${cols}] are not multiples of 32`)
  if (layout === 'compressed-tensors' && parts.some(({ source }) => source.transposed === true)) throw refuse('the layer is stored transposed (Conv1D), which its readers do not quantize')
}

function plainTensor(model: DecoderModel, held: Held, option: string, blob: ReadBlob): SafetensorsTensor {
  const { checkpoint, spec } = model
  const { tensor, parts } = held
  const stored = checkpoint.tensors.get(tensor)
  if (!isSafetensorsType(option)) throw new AppError('bad-recipe', `tensor ${tensor}: safetensors cannot hold the option ${option}`, { hint: 'Plan again for the target safetensors.' })
  const [first] = parts
  assert(stored !== undefined && first !== undefined, `${tensor} is in the file`)
  const shape = storedShape(first)
  if (stored.type === option) return { name: tensor, type: option, shape, data: () => readPieces(model, tensor) }
  const isTransposed = first.source.transposed === true
  return {
    name: tensor,
    type: option,
    shape,
    data: async function* () {
      const rows = arrange(parts, blob, spec.headSize)
      if (!isTransposed) yield* rows
      else yield transpose(await concatenate(rows), shape[1] ?? 1, shape[0] ?? 1, safetensorsTypes[option].bytes)
    },
  }
}

/** Bytes of a stored tensor read at once. */
const PIECE_BYTES = 16 << 20

async function* readPieces({ checkpoint }: DecoderModel, name: string): AsyncGenerator<Uint8Array> {
  const { shape = [], byteLength = 0 } = checkpoint.tensors.get(name) ?? {}
  const [rows] = shape
  if (rows === undefined || byteLength <= PIECE_BYTES) {
    yield checkpoint.read(name)
    return
  }
  const step = Math.max(1, Math.floor((PIECE_BYTES / byteLength) * rows))
  for (let first = 0; first < rows; first += step) yield checkpoint.read(name, [first, Math.min(rows, first + step)])
}

/** The tensors for a choice of options; the bytes are asked for only when the files are written. */
export function folderTensors(layout: PackedLayoutName, model: DecoderModel, options: ReadonlyMap<string, string>, blob: ReadBlob): FolderTensors {
  const { checkpoint, spec } = model
  const modules: QuantizedModule[] = []
  const tensors = heldTensors(model).flatMap((held): SafetensorsTensor[] => {
    const { tensor, parts, isLayer } = held
    const stored = checkpoint.tensors.get(tensor)
    assert(stored !== undefined, `${tensor} is in the file`)
    if (!isLayer) {
      if (!isSafetensorsType(stored.type)) throw new AppError('unsupported-tensor', `tensor ${tensor}: safetensors cannot hold ${stored.type}`, { hint: 'Use the Hugging Face folder of the model as the source.' })
      return [{ name: tensor, type: stored.type, shape: stored.shape, data: () => readPieces(model, tensor) }]
    }
    const option = optionOf(held, options)
    const format: IntFormat | null = intFormats.get(option) ?? null
    const module = tensor.replace(/\.weight$/, '')
    const isBlock = parts.every(({ name }) => name.startsWith('blocks.'))
    if (isBlock || parts.some(({ name }) => name === 'head')) modules.push({ module, format })
    if (format === null) return [plainTensor(model, held, option, blob)]
    const rows = parts.reduce((sum, { shape: [out = 1] }) => sum + out, 0)
    const shape: PackedShape = { rows, cols: parts[0]?.shape[1] ?? 1, format }
    checkPackable(layout, held, option, shape, isBlock)
    return packedTensors(layout, module, shape, () => concatenate(arrange(parts, blob, spec.headSize)))
  })
  return { tensors, modules }
}
