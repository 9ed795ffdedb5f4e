/** @file Learned rounding as a recipe asks for it: over the job's rounded tensors and the corrections beside them. */
import type { LayerAdapter } from '../../correct/adapter.ts'
import { readBranch } from '../../correct/job-adapter.ts'
import type { Job } from '../../job/job.ts'
import type { DecoderModel } from '../../session/model.ts'
import { baseOfBlobs } from '../../train/base/base.ts'
import { codecOf } from '../quantize-decoder.ts'
import type { LearnBlock } from './job-learned.ts'
import { learnBlock } from './learn-block.ts'
import { learnedRoundings } from './learned.ts'

/** The recipe's learned rounding; null where it has none. */
export function learnRounded(job: Job, model: DecoderModel): LearnBlock | null {
  const { learnedRounding, choice, seed } = job.recipe
  if (learnedRounding === undefined) return null
  const base = baseOfBlobs(model, new Map(choice.map(({ name, option }) => [name, codecOf(option)])), (layer) => job.readTensor(layer))
  return async (block, hidden) => {
    const adapter = new Map<string, LayerAdapter>()
    for (const { name, rank } of choice) {
      const layer = model.layers.find((one) => one.name === name)
      if (rank > 0 && layer?.block === block) adapter.set(name, await readBranch(job, layer, rank))
    }
    return learnBlock({ base, block, adapter, source: model.readWeight, ...hidden, learn: learnedRoundings[learnedRounding], seed: seed + block, signal: job.context.signal })
  }
}
