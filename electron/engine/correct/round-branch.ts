/** @file A branch with its numbers as they will be stored, so that what is measured and what is corrected next is what the file holds. */
import { kernels } from '../../../kernels/kernels.ts'
import type { CodecName, Target } from '../../contract/options.ts'
import type { LayerAdapter } from './adapter.ts'
import { ggufStorageOf, type AdapterStorage } from './adapter-storage.ts'

const HALF_MAX = 65504

async function throughCodec(codec: CodecName, values: Float32Array, cols: number): Promise<Float32Array> {
  const shape = { rows: values.length / cols, cols }
  const bytes = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().encode(codec, shape, values, null, 'nearest', bytes)
  const out = new Float32Array(values.length)
  await kernels().decode(codec, shape, bytes, out)
  return out
}

function transposed(values: Float32Array, rows: number, cols: number): Float32Array {
  return Float32Array.from({ length: values.length }, (_, at) => values[(at % rows) * cols + Math.floor(at / rows)])
}

export interface Int8Rows {
  /** [rows, cols] */
  readonly codes: Int8Array
  /** float16-exact, [rows] */
  readonly scales: Float32Array
}

/** Rows as int8 codes with a float16 scale each: the largest number gets ±127. */
export async function int8Rows(values: Float32Array, cols: number): Promise<Int8Rows> {
  const rows = values.length / cols
  const largest = Float32Array.from({ length: rows }, (_, row) => values.subarray(row * cols, (row + 1) * cols).reduce((most, value) => Math.max(most, Math.abs(value)), 0))
  const scales = await throughCodec('F16', largest.map((value) => Math.min(value / 127, HALF_MAX)), rows || 1)
  const codes = Int8Array.from(values, (value, at) => {
    const scale = scales[Math.floor(at / cols)]
    return scale === 0 ? 0 : Math.max(-127, Math.min(127, Math.round(value / scale)))
  })
  return { codes, scales }
}

async function throughInt8(values: Float32Array, cols: number): Promise<Float32Array> {
  const { codes, scales } = await int8Rows(values, cols)
  return Float32Array.from(codes, (code, at) => code * scales[Math.floor(at / cols)])
}

/** The branch as `target` will hold it. */
export async function roundBranch(branch: LayerAdapter, storage: AdapterStorage, target: Target): Promise<LayerAdapter> {
  const { rank, a, b } = branch
  const [rows, cols] = [b.length / rank, a.length / rank]
  if (storage === 'float16' || target === 'gguf') return { ...branch, a: await throughCodec(ggufStorageOf(storage, cols), a, cols), b: await throughCodec(ggufStorageOf(storage, rank), b, rank) }
  return { ...branch, a: await throughInt8(a, cols), b: transposed(await throughInt8(transposed(b, rows, rank), rows), rank, rows) }
}
