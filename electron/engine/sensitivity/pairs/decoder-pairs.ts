/** @file What pairs of layers of a language model are measured by: searched codes, and the KL at the logits. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { Context } from '../../../contract/events.ts'
import type { CodecName } from '../../../contract/options.ts'
import type { BlockRunner } from '../../calibrate/runner.ts'
import { search } from '../../quantize/rounders/search.ts'
import type { DecoderModel } from '../../session/model.ts'
import { openReference } from '../replaced-divergence.ts'
import type { PairTask } from './measure-pairs.ts'

/** `windows`: few, all their hidden states are kept. */
export async function decoderPairs({ layers, readWeight }: Pick<DecoderModel, 'layers' | 'readWeight'>, runner: BlockRunner, windows: readonly Int32Array[], { signal }: Pick<Context, 'signal'>): Promise<Pick<PairTask, 'rounded' | 'divergence'>> {
  const reference = await openReference(runner, windows, signal)
  const shapes = new Map(layers.map(({ name, shape }) => [name, shape]))
  return {
    async rounded(name, option) {
      const [rows, cols] = shapes.get(name) ?? [1, 1]
      const weights = await readWeight(name)
      const dense = new Float32Array(weights.length)
      const codec = option as CodecName
      await kernels().decode(codec, { rows, cols }, await search(codec, { rows, cols }, weights, null), dense)
      return dense
    },
    divergence: (replaced) => reference.divergence(replaced, signal),
  }
}
