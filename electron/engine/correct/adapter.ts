/**
 * @file A low-rank branch beside a layer: y = x·Ŵᵀ + (alpha/rank)·(x·Aᵀ)·Bᵀ, that is ΔW = (alpha/rank)·B·A, the convention of PEFT
 * and of GGUF LoRA files. A is [rank, in] row by row, B is [out, rank]; a branch with B = 0 leaves the layer as it is.
 */

export interface LayerAdapter {
  readonly layer: string
  readonly rank: number
  readonly alpha: number
  readonly a: Float32Array
  readonly b: Float32Array
}

/** Branches by layer name; layers without one are absent. */
export type Adapter = ReadonlyMap<string, LayerAdapter>

/** What the branch is multiplied by. */
export function adapterScale(adapter: Pick<LayerAdapter, 'rank' | 'alpha'>): number {
  return adapter.alpha / adapter.rank
}

/** Numbers held by a branch of `rank` on a layer [out, in]. */
export function adapterElements(rank: number, [out, input]: readonly [number, number]): number {
  return rank * (out + input)
}
