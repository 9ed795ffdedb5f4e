/**
 * @file Low-rank branches at the tensors of a file and back. A branch B·A beside a layer stands beside the tensor that holds the
 * layer: rows of B move as the rows of the weight do. Where a tensor holds several layers (q, k, v in one) their A are stacked
 * and their B stand on a block diagonal, so the file's rank is the sum of theirs.
 */
import { adapterScale, type LayerAdapter } from '../correct/adapter.ts'
import type { AdapterSource } from '../correct/adapter-source.ts'
import type { Placement } from '../graph/decoder/weights.ts'
import { arrange, fileRow } from './arrange.ts'

/** A branch beside a tensor of a file; its numbers are asked for when they are written. */
export interface PlacedBranch {
  readonly tensor: string
  /** [out, in] of the whole tensor. */
  readonly shape: readonly [number, number]
  readonly rank: number
  readonly alpha: number
  /** Those of the tensor's layers that have a branch, and those that have none, in the tensor's order. */
  readonly parts: readonly Placement[]
}

export interface BranchValues {
  /** [rank, in] */
  readonly a: Float32Array
  /** [out, rank] */
  readonly b: Float32Array
}

/** Where the branches stand in a file with these places, in the file's order. */
export function placeBranches({ branches }: Pick<AdapterSource, 'branches'>, places: ReadonlyMap<string, Placement>): PlacedBranch[] {
  const tensors = Map.groupBy(places.values(), ({ tensor }) => tensor)
  return [...tensors].flatMap(([tensor, held]): PlacedBranch[] => {
    const parts = held.toSorted((a, b) => a.index - b.index)
    const found = parts.flatMap(({ name }) => branches.get(name) ?? [])
    const [only] = found
    if (only === undefined) return []
    const rank = found.reduce((sum, branch) => sum + branch.rank, 0)
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0)
    return [{ tensor, shape: [rows, parts[0]?.shape[1] ?? 0], rank, alpha: parts.length === 1 ? only.alpha : rank, parts }]
  })
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

/** B of a part [rows, own rank] · scale in its columns of [rows, rank]. */
function widened(b: Float32Array, own: number, rank: number, first: number, scale: number): Float32Array {
  const rows = b.length / own
  const out = new Float32Array(rows * rank)
  for (let row = 0; row < rows; row++) for (let col = 0; col < own; col++) out[row * rank + first + col] = b[row * own + col] * scale
  return out
}

/** The numbers of a placed branch, rows of B in the file's order. */
export async function branchValues({ shape: [rows, cols], rank, parts }: PlacedBranch, source: AdapterSource, headSize: number): Promise<BranchValues> {
  const a = new Float32Array(rank * cols)
  const columns = new Map<string, Float32Array>()
  let first = 0
  for (const { name, shape } of parts) {
    if (!source.branches.has(name)) {
      columns.set(name, new Float32Array((shape[0] ?? 0) * rank))
      continue
    }
    const branch = await source.read(name)
    a.set(branch.a, first * cols)
    columns.set(name, parts.length === 1 ? branch.b : widened(branch.b, branch.rank, rank, first, adapterScale(branch)))
    first += branch.rank
  }
  const b = new Float32Array(rows * rank)
  let at = 0
  for await (const piece of arrange(parts, (name) => Promise.resolve(bytesOf(columns.get(name) ?? new Float32Array())), headSize)) {
    bytesOf(b).set(piece, at)
    at += piece.length
  }
  return { a, b }
}

/** The columns of b [rows, rank] that are not zero throughout. */
function usedColumns(b: Float32Array, rank: number): number[] {
  const isUsed = new Uint8Array(rank)
  for (let at = 0; at < b.length; at++) if (b[at] !== 0) isUsed[at % rank] = 1
  return [...isUsed.keys()].filter((col) => isUsed[col] === 1)
}

/** The layers' branches of what a file has beside one tensor. Layers of a shared tensor keep only the columns of B that reach them. */
export function layerBranches(parts: readonly Placement[], { a, b, rank, alpha }: BranchValues & { readonly rank: number; readonly alpha: number }, headSize: number): LayerAdapter[] {
  const cols = a.length / rank
  return parts.flatMap((part): LayerAdapter[] => {
    const rows = part.shape[0] ?? 0
    const own = new Float32Array(rows * rank)
    for (let row = 0; row < rows; row++) {
      const from = fileRow(part, headSize, row) * rank
      own.set(b.subarray(from, from + rank), row * rank)
    }
    if (parts.length === 1) return [{ layer: part.name, rank, alpha, a, b: own }]
    const used = usedColumns(own, rank)
    if (used.length === 0) return []
    const narrow = new Float32Array(rows * used.length)
    for (let row = 0; row < rows; row++) for (const [col, from] of used.entries()) narrow[row * used.length + col] = own[row * rank + from]
    const kept = new Float32Array(used.length * cols)
    for (const [row, from] of used.entries()) kept.set(a.subarray(from * cols, (from + 1) * cols), row * cols)
    return [{ layer: part.name, rank: used.length, alpha: (alpha * used.length) / rank, a: kept, b: narrow }]
  })
}
