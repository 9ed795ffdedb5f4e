/**
 * @file Weights in the row order of a file: fused tensors put together, heads interleaved, rotary rows in pairs. Rows are moved as
 * bytes: they are whole blocks of any format, so nothing is quantized again.
 */
import { assert } from '../../contract/errors.ts'
import type { Placement } from '../graph/decoder/weights.ts'
import { headwiseRow, pairedRow } from '../session/read-weight.ts'

/** Rows copied between two turns of the event loop. */
const ROWS_AT_ONCE = 4096

/** Where row `row` of a weight stands in the tensor that holds it. */
export function fileRow({ source, rows, index, shape }: Placement, headSize: number, row: number): number {
  const own = source.pairs === true ? pairedRow(row, headSize) : row
  if (source.part === undefined) return own
  if (source.part.order === 'by-head') return headwiseRow(own, index, rows.length, headSize)
  assert(rows[index] === shape[0], 'a stacked part has the rows of its weight')
  return rows.slice(0, index).reduce((sum, count) => sum + count, own)
}

/** Puts the rows of all parts of one tensor in the file's order, in pieces of whole rows. */
export async function* arrange(parts: readonly Placement[], bytes: (name: string) => Promise<Uint8Array>, headSize: number): AsyncGenerator<Uint8Array> {
  const [only] = parts
  if (parts.length === 1 && only && only.source.pairs !== true && only.source.part === undefined) {
    yield bytes(only.name)
    return
  }
  const total = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 1), 0)
  let all: Uint8Array | undefined
  let rowBytes = 0
  for (const part of parts) {
    const data = await bytes(part.name)
    const rows = part.shape[0] ?? 1
    rowBytes = data.length / rows
    all ??= new Uint8Array(total * rowBytes)
    for (let row = 0; row < rows; row++) all.set(data.subarray(row * rowBytes, (row + 1) * rowBytes), fileRow(part, headSize, row) * rowBytes)
  }
  for (let at = 0; all && at < all.length; at += ROWS_AT_ONCE * rowBytes) yield all.subarray(at, at + ROWS_AT_ONCE * rowBytes)
}
