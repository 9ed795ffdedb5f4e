/**
 * @file Quantizes the embedding or the head, a few thousand rows at a time: rows are independent, so the bytes are those of the whole
 * table, and neither its weights nor its rounded values are ever in memory at once.
 */
import { kernels, type Shape } from '../../../kernels/kernels.ts'
import type { CodecName } from '../../contract/options.ts'
import type { Rounder, RoundingStatistics } from './rounders/rounder.ts'

/** Most weights of a piece: 64 MiB in float32. */
const PIECE_WEIGHTS = 1 << 24
/** Rows of a piece are a multiple of this, so that those fitted side by side are the same as in a whole table. */
const ROWS_TOGETHER = 8

export interface TableTask {
  readonly codec: CodecName
  readonly shape: Shape
  readonly rounder: Rounder
  /** Of what the table is multiplied with; null where it is only looked up. */
  readonly inputs: RoundingStatistics | null
  /** Rows [first, last) of the table, a new array. */
  readonly read: (rows: readonly [number, number]) => Promise<Float32Array>
  readonly signal: AbortSignal
  /** Most weights of a piece, where another number is wanted. */
  readonly pieceWeights?: number
}

/** Ŵ's summed squared error: tr(ΔHΔᵀ) per token where inputs are known, ‖Δ‖² where not. */
export async function roundingError(weights: Float32Array, rounded: Float32Array, shape: Shape, inputs: RoundingStatistics | null): Promise<number> {
  if (inputs === null) return kernels().weightedError(weights, rounded, shape, null, null)
  const { hessian, tokens } = inputs.statistics
  return await kernels().outputError(weights, rounded, shape, hessian) / Math.max(tokens, 1)
}

/** The bytes of a table [rows, cols] in a codec, and their error. */
export async function quantizeTable({ codec, shape: { rows, cols }, rounder, inputs, read, signal, pieceWeights = PIECE_WEIGHTS }: TableTask): Promise<{ bytes: Uint8Array<ArrayBuffer>; error: number }> {
  const step = Math.max(1, Math.floor(pieceWeights / cols / ROWS_TOGETHER)) * ROWS_TOGETHER
  const bytes = new Uint8Array(kernels().codecBytes(codec, { rows, cols }))
  let error = 0
  for (let first = 0; first < rows; first += step) {
    signal.throwIfAborted()
    const last = Math.min(rows, first + step)
    const shape = { rows: last - first, cols }
    const weights = await read([first, last])
    const piece = await rounder(codec, shape, weights, inputs)
    const rounded = new Float32Array(weights.length)
    await kernels().decode(codec, shape, piece, rounded)
    error += await roundingError(weights, rounded, shape, inputs)
    bytes.set(piece, first * (bytes.length / rows))
    await kernels().release([weights, piece, rounded])
  }
  return { bytes, error }
}

/** The rows of a quantized table that a window looks up, [tokens, cols]. */
export async function lookUp(codec: CodecName, { rows, cols }: Shape, bytes: Uint8Array, window: Int32Array): Promise<Float32Array> {
  const rowBytes = bytes.length / rows
  const stored = new Uint8Array(window.length * rowBytes)
  window.forEach((token, at) => stored.set(bytes.subarray(token * rowBytes, (token + 1) * rowBytes), at * rowBytes))
  const found = new Float32Array(window.length * cols)
  await kernels().decode(codec, { rows: window.length, cols }, stored, found)
  return found
}
