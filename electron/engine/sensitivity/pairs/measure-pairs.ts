/** @file Measures what pairs of layers lose together and each alone: the divergence of the outputs with both replaced. Codes are searched, without error feedback. */
import type { Context } from '../../../contract/events.ts'
import type { MeasuredLayer, PairLoss } from '../../../contract/sensitivity.ts'
import { beginStage } from '../../job/progress.ts'
import type { Divergence } from '../streams.ts'
import { choosePairs, pairOption } from './choose-pairs.ts'

export interface PairTask {
  /** Measured by any metric. */
  readonly layers: readonly MeasuredLayer[]
  /** Dense weights [out, in] of a layer as an option has them. */
  readonly rounded: (layer: string, option: string) => Promise<Float32Array>
  /** The divergence with some layers' weights replaced, on few samples. */
  readonly divergence: (replaced: ReadonlyMap<string, Float32Array>) => Promise<Divergence>
  /** Pairs to measure. */
  readonly count: number
}

/** Losses of the pairs, costliest first. */
export async function measurePairs({ layers, rounded, divergence, count }: PairTask, context: Context): Promise<readonly PairLoss[]> {
  const pairs = choosePairs(layers, count)
  const alone = new Map<string, Divergence>()
  const progress = beginStage(context, 'measure', pairs.length)
  context.report({ type: 'log', level: 'info', text: `${pairs.length} pairs of layers are measured together (a reconstruction of the published idea of inter-layer dependencies)` })
  const found: PairLoss[] = []
  for (const { layers: both } of pairs) {
    context.signal.throwIfAborted()
    const options = both.map((layer) => pairOption(layer)?.split('+')[0] ?? '')
    const replaced = await Promise.all(both.map(({ name }, index) => rounded(name, options[index])))
    for (const [index, { name }] of both.entries()) if (!alone.has(name)) alone.set(name, await divergence(new Map([[name, replaced[index]]])))
    const { value, stderr } = await divergence(new Map(both.map(({ name }, index) => [name, replaced[index]])))
    const [first, second] = both.map(({ name }) => name)
    found.push({ layers: [first, second], option: options[0], alone: [alone.get(first)?.value ?? 0, alone.get(second)?.value ?? 0], together: value, stderr })
    progress.advance(`${first} with ${second}`)
  }
  return found
}
