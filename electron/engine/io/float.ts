/** @file Stored bytes of a tensor as float32. The block formats are decoded by the kernels, off the event loop. */
import { setImmediate } from 'node:timers/promises'
import { kernels } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import type { CodecName, GgufReadType } from '../../contract/options.ts'
import type { TensorInfo } from './checkpoint.ts'
import { elementCount, type StorageType } from './types.ts'

/** Values converted between two turns of the event loop: about a millisecond. */
const CHUNK_VALUES = 1 << 19

const unreadable: readonly StorageType[] = ['I8', 'I16', 'I32', 'I64', 'U8', 'BOOL']

function isCodec(type: StorageType): type is CodecName | GgufReadType {
  return type !== 'F64' && !unreadable.includes(type)
}

async function fromDouble(bytes: Uint8Array, out: Float32Array): Promise<void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let start = 0; start < out.length; start += CHUNK_VALUES) {
    const end = Math.min(start + CHUNK_VALUES, out.length)
    for (let i = start; i < end; i++) out[i] = view.getFloat64(i * 8, true)
    if (end < out.length) await setImmediate()
  }
}

/** Refuses types whose numbers are not weights. */
export function checkReadable(tensor: TensorInfo): void {
  if (!unreadable.includes(tensor.type)) return
  throw new AppError('unsupported-tensor', `${tensor.file}: tensor "${tensor.name}": found integers (${tensor.type}), expected floating-point or quantized weights`, {
    hint: 'This tensor cannot be read as weights; a model whose weights are stored this way needs a reader of its own format.',
  })
}

/** Decodes `bytes`, which hold `shape` values of the tensor's type, row by row. */
export async function toFloat(tensor: TensorInfo, shape: readonly number[], bytes: Uint8Array): Promise<Float32Array> {
  checkReadable(tensor)
  const { type } = tensor
  if (type === 'F32' && bytes.byteOffset % 4 === 0) return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  const out = new Float32Array(elementCount(shape) ?? 0)
  if (out.length === 0) return out
  if (!isCodec(type)) await fromDouble(bytes, out)
  else {
    const cols = shape.at(-1) ?? 1
    await kernels().decode(type, { rows: out.length / cols, cols }, bytes, out)
  }
  return out
}

/** The bytes of the nearest half-precision numbers. */
export async function toHalves(values: Float32Array): Promise<Uint8Array> {
  const bytes = new Uint8Array(values.length * 2)
  await kernels().encode('F16', { rows: 1, cols: values.length }, values, null, 'nearest', bytes)
  return bytes
}
