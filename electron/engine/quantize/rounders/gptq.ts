/** @file GPTQ (Frantar et al. 2022, algorithm 1): the rounding error of a column is made up for by the columns after it. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { CodecName } from '../../../contract/options.ts'
import type { Rounder } from './rounder.ts'
import { search } from './search.ts'

/** Formats that store the numbers themselves: nothing to feed back. */
const floats: ReadonlySet<CodecName> = new Set<CodecName>(['F32', 'F16', 'BF16'])

/** Error feedback over the codec's grid, then so many sweeps over whole rows. Without inputs, or for plain floats, it is the weighted search. */
const withSweeps = (sweeps: number): Rounder => async (codec, shape, weights, inputs) => {
  if (!inputs || floats.has(codec)) return search(codec, shape, weights, inputs)
  const out = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().gptq(codec, shape, weights, await inputs.factor(), inputs.importance, sweeps > 0 ? { hessian: inputs.statistics.hessian, sweeps } : {}, out)
  return out
}

/** As quick as can be told apart by: for measuring every option of every layer. */
export const gptq = withSweeps(0)

/** As good as can be: a seventh less divergence of the whole model than `gptq`, in three times its time. */
export const gptqSwept = withSweeps(2)
