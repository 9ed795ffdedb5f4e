/** @file What pairs of layers of a graph are measured by: searched codes, and the divergence of the outputs. */
import type { Context } from '../../contract/events.ts'
import type { PairTask } from '../sensitivity/pairs/measure-pairs.ts'
import { rounders } from '../quantize/rounders/rounders.ts'
import type { GraphSample } from './data.ts'
import type { GraphModel } from './open.ts'
import { decodeLayer } from './pack.ts'
import { openProbe } from './probe.ts'
import { codecOf, roundLayer, storedColumns } from './round.ts'

export async function graphPairs(model: GraphModel, samples: readonly GraphSample[], context: Pick<Context, 'signal'>): Promise<Pick<PairTask, 'rounded' | 'divergence'>> {
  const { graph, layers } = model
  const runner = await openProbe(graph, samples, context)
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  return {
    async rounded(name, option) {
      const layer = byName.get(name)
      if (layer === undefined) throw new Error(`${name} is no layer`)
      return decodeLayer(layer, codecOf(option), storedColumns(layer, option), await roundLayer(rounders.search, layer, option, await model.readWeight(name), null))
    },
    async divergence(replaced) {
      const probe = await runner.open(...layers.filter(({ name }) => replaced.has(name)))
      try {
        const { divergence: value, stderr } = await probe.divergence(...layers.flatMap(({ name }) => replaced.get(name) ?? []))
        return { value, stderr }
      } finally {
        probe.dispose()
      }
    },
  }
}
