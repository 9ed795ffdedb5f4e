/** @file Round to nearest on the format's own range: needs no data. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { Rounder } from './rounder.ts'

/** Each weight to the nearest value of a grid that spans its group. */
export const nearest: Rounder = async (codec, shape, weights) => {
  const out = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().encode(codec, shape, weights, null, 'nearest', out)
  return out
}
