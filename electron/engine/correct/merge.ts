/** @file Ŵ + (alpha/rank)·B·A as one dense weight: how a corrected block runs while statistics are taken and files are evaluated. */
import { setImmediate } from 'node:timers/promises'
import { kernels } from '../../../kernels/kernels.ts'
import type { BlockWeights } from '../calibrate/runner.ts'
import { linears } from '../graph/decoder/spec.ts'
import { blockLayers, type BlockLayer } from '../model.ts'
import type { DecoderModel } from '../session/model.ts'
import { adapterScale, type Adapter, type LayerAdapter } from './adapter.ts'

/** Values added between two turns of the event loop: a few milliseconds. */
const CHUNK_VALUES = 1 << 21

/** a + scale·b in b's place. */
async function addScaled(a: Float32Array, scale: number, b: Float32Array): Promise<Float32Array> {
  for (let start = 0; start < a.length; start += CHUNK_VALUES) {
    const end = Math.min(a.length, start + CHUNK_VALUES)
    for (let at = start; at < end; at++) b[at] = a[at] + scale * b[at]
    if (end < a.length) await setImmediate()
  }
  return b
}

/** a − b, as a new array. */
export function subtract(a: Float32Array, b: Float32Array): Promise<Float32Array> {
  return addScaled(a, -1, b.slice())
}

/** weights [out, in] + factor·(alpha/rank)·B·A, as a new array; the factor −1 takes the branch off. */
export async function mergeBranch(weights: Float32Array, branch: LayerAdapter, factor: 1 | -1 = 1): Promise<Float32Array> {
  const { rank, a, b } = branch
  const product = new Float32Array(weights.length)
  await kernels().matmul(b, a, b.length / rank, a.length / rank, rank, false, false, product)
  return addScaled(weights, factor * adapterScale(branch), product)
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

/** Reads a model's blocks with the branches merged, one block at a time. */
export function mergedWeights({ spec, readWeight }: Pick<DecoderModel, 'spec' | 'readWeight'>, adapter: Adapter): (block: number) => Promise<BlockWeights> {
  return async (block) => {
    const read: Partial<Record<BlockLayer, Float32Array>> = {}
    for (const part of linears(spec)) read[part] = await readWeight(`blocks.${block}.${part}`)
    return mergeBlock(block, read, adapter)
  }
}
