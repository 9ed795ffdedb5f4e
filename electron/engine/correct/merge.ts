/** @file Ŵ + (alpha/rank)·B·A as one dense weight: how a corrected block runs while statistics are taken and files are evaluated. */
import { setImmediate } from 'node:timers/promises'
import { kernels } from '../../../kernels/kernels.ts'
import type { BlockWeights } from '../calibrate/runner.ts'
import { blockLayers, type BlockLayer } from '../model.ts'
import { adapterScale, type Adapter, type LayerAdapter } from './adapter.ts'

/** Values added between two turns of the event loop: a few milliseconds. */
const CHUNK_VALUES = 1 << 21

/** weights [out, in] + (alpha/rank)·B·A, as a new array. */
export async function mergeBranch(weights: Float32Array, branch: LayerAdapter): Promise<Float32Array> {
  const { rank, a, b } = branch
  const merged = new Float32Array(weights.length)
  await kernels().matmul(b, a, b.length / rank, a.length / rank, rank, false, false, merged)
  const scale = adapterScale(branch)
  for (let start = 0; start < weights.length; start += CHUNK_VALUES) {
    const end = Math.min(weights.length, start + CHUNK_VALUES)
    for (let at = start; at < end; at++) merged[at] = weights[at] + scale * merged[at]
    if (end < weights.length) await setImmediate()
  }
  return merged
}

/** A block's weights with its branches merged. */
export async function mergeBlock(block: number, weights: BlockWeights, adapter: Adapter): Promise<BlockWeights> {
  const merged: Partial<Record<BlockLayer, Float32Array>> = { ...weights }
  for (const part of blockLayers) {
    const branch = adapter.get(`blocks.${block}.${part}`)
    const dense = weights[part]
    if (branch !== undefined && dense !== undefined) merged[part] = await mergeBranch(dense, branch)
  }
  return merged
}
