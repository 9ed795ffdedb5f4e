/** @file Nearest code on a grid found by least squares, weighted by the mean square of each input column. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { Rounder } from './rounder.ts'

/** Weighted scale search: the importance-matrix class of methods. */
export const search: Rounder = async (codec, shape, weights, inputs) => {
  const out = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().encode(codec, shape, weights, inputs?.importance ?? null, 'search', out)
  return out
}
