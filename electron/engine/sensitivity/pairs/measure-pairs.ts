/** @file Measures what pairs of layers lose together and each alone: KL at the logits with both replaced. Codes are searched, without error feedback. */
import { kernels } from '../../../../kernels/kernels.ts'
import type { Context } from '../../../contract/events.ts'
import type { CodecName } from '../../../contract/options.ts'
import type { MeasuredLayer, PairLoss } from '../../../contract/sensitivity.ts'
import type { BlockRunner } from '../../calibrate/runner.ts'
import { beginStage } from '../../job/progress.ts'
import { search } from '../../quantize/rounders/search.ts'
import { openReference } from '../replaced-divergence.ts'
import type { Divergence } from '../streams.ts'
import { choosePairs, pairOption } from './choose-pairs.ts'

export interface PairTask {
  /** Measured by any metric. */
  readonly layers: readonly MeasuredLayer[]
  readonly readWeight: (layer: string) => Promise<Float32Array>
  readonly runner: BlockRunner
  /** Few: their hidden states are all kept. */
  readonly windows: readonly Int32Array[]
  /** Pairs to measure. */
  readonly count: number
}

/** Losses of the pairs, costliest first. */
export async function measurePairs({ layers, readWeight, runner, windows, count }: PairTask, context: Context): Promise<readonly PairLoss[]> {
  const pairs = choosePairs(layers, count)
  const alone = new Map<string, Divergence>()
  const progress = beginStage(context, 'measure', pairs.length)
  context.report({ type: 'log', level: 'info', text: `${pairs.length} pairs of layers are measured together (a reconstruction of the published idea of inter-layer dependencies)` })
  const reference = await openReference(runner, windows, context.signal)

  async function rounded({ name, shape: [rows = 1, cols = 1] }: MeasuredLayer, option: string): Promise<Float32Array> {
    const weights = await readWeight(name)
    const dense = new Float32Array(weights.length)
    const codec = option as CodecName
    await kernels().decode(codec, { rows, cols }, await search(codec, { rows, cols }, weights, null), dense)
    return dense
  }

  const found: PairLoss[] = []
  for (const { layers: both } of pairs) {
    const options = both.map((layer) => pairOption(layer)?.split('+')[0] ?? '')
    const replaced = await Promise.all(both.map((layer, index) => rounded(layer, options[index])))
    for (const [index, { name }] of both.entries()) if (!alone.has(name)) alone.set(name, await reference.divergence(new Map([[name, replaced[index]]]), context.signal))
    const { value, stderr } = await reference.divergence(new Map(both.map(({ name }, index) => [name, replaced[index]])), context.signal)
    const [first, second] = both.map(({ name }) => name)
    found.push({ layers: [first, second], option: options[0], alone: [alone.get(first)?.value ?? 0, alone.get(second)?.value ?? 0], together: value, stderr })
    progress.advance(`${first} with ${second}`)
  }
  return found
}
