/**
 * @file One weight out of a checkpoint in the form the graphs take: dense float32 [out, in], rows of heads in Hugging Face's order.
 * Undoes what files do: stacked and interleaved q, k, v; [in, out] storage; llama.cpp's rotary pairs; Gemma's 1 + w.
 */
import { setImmediate } from 'node:timers/promises'
import { AppError } from '../../contract/errors.ts'
import { rowRange, storedShape, type Placement } from '../graph/decoder/weights.ts'
import type { DecoderSpec } from '../graph/decoder/spec.ts'
import type { Checkpoint } from '../io/checkpoint.ts'

/** Values handled between two turns of the event loop: a few milliseconds. */
const CHUNK_VALUES = 1 << 21

/** Calls `row` for every row, letting the event loop turn in between. */
async function eachRow(rows: number, cols: number, row: (index: number) => void): Promise<void> {
  const step = Math.max(1, Math.floor(CHUNK_VALUES / Math.max(cols, 1)))
  for (let first = 0; first < rows; first += step) {
    for (let index = first; index < Math.min(rows, first + step); index++) row(index)
    if (first + step < rows) await setImmediate()
  }
}

/** Throws bad-weights where a value is NaN or infinite. */
export async function checkFinite(values: Float32Array, where: string): Promise<void> {
  for (let start = 0; start < values.length; start += CHUNK_VALUES) {
    const end = Math.min(values.length, start + CHUNK_VALUES)
    let zero = 0 // x · 0 is NaN for NaN and ±∞ alone
    for (let index = start; index < end; index++) zero += values[index] * 0
    if (Number.isNaN(zero)) {
      const index = values.findIndex((value) => !Number.isFinite(value))
      throw new AppError('bad-weights', `${where}: found ${values[index]} at element ${index}, expected finite numbers`, {
        hint: 'The model is damaged or its training diverged: download it again, or use another checkpoint.',
        details: { where, element: index },
      })
    }
    if (end < values.length) await setImmediate()
  }
}

/** Rows by index: row r of the result is row order(r) of `values`. */
async function gatherRows(values: Float32Array, rows: number, cols: number, order: (row: number) => number): Promise<Float32Array> {
  const out = new Float32Array(rows * cols)
  await eachRow(rows, cols, (row) => {
    const from = order(row) * cols
    out.set(values.subarray(from, from + cols), row * cols)
  })
  return out
}

/** Rows [first, last) of the transpose of a stored [in, total]. */
async function transposeRows(values: Float32Array, [first, last]: readonly [number, number], total: number): Promise<Float32Array> {
  const cols = values.length / total
  const out = new Float32Array((last - first) * cols)
  await eachRow(last - first, cols, (row) => {
    for (let col = 0; col < cols; col++) out[row * cols + col] = values[col * total + first + row]
  })
  return out
}

/** Where llama.cpp keeps row `row` of a head's rotary projection: half h, pair i of Hugging Face is row 2i + h of the file. */
export function pairedRow(row: number, headSize: number): number {
  const within = row % headSize
  const half = headSize / 2
  return row - within + (within % half) * 2 + Math.floor(within / half)
}

/** Where a tensor that holds q, k and v head by head has row `row` of its part number `index` of `parts`. */
export function headwiseRow(row: number, index: number, parts: number, headSize: number): number {
  return (Math.floor(row / headSize) * parts + index) * headSize + (row % headSize)
}

/** Reads the value of a placement. */
export async function readPlaced(checkpoint: Checkpoint, place: Placement, spec: DecoderSpec): Promise<Float32Array> {
  const { source, tensor, shape } = place
  const [rows = 1, cols = 1] = shape
  const range = rowRange(place)
  let values: Float32Array
  if (source.transposed === true && shape.length === 2) values = await transposeRows(await checkpoint.readFloat(tensor), range, storedShape(place)[1] ?? rows)
  else if (source.part?.order === 'by-head') values = await gatherRows(await checkpoint.readFloat(tensor), rows, cols, (row) => headwiseRow(row, place.index, place.rows.length, spec.headSize))
  else values = await checkpoint.readFloat(tensor, source.part === undefined ? undefined : range)
  if (source.pairs === true) values = await gatherRows(values, rows, cols, (row) => pairedRow(row, spec.headSize))
  const plus = source.plus ?? 0
  return plus === 0 ? values : values.map((value) => value + plus)
}
