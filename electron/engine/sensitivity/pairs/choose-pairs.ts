/**
 * @file Which pairs of layers are worth measuring together: those of one block, neighbours across a block's border, and those among the
 * costliest; the costliest first. `option` is the one nearest to three bits, where layers stop adding up.
 */
import type { MeasuredLayer } from '../../../contract/sensitivity.ts'

/** Bits per weight at which pairs are measured. */
const PAIR_BITS = 3

export interface Pair {
  readonly layers: readonly [MeasuredLayer, MeasuredLayer]
}

/** The option of a layer nearest to three bits per weight, or null where it has none. */
export function pairOption({ options, elements }: MeasuredLayer): string | null {
  const distance = (bytes: number): number => Math.abs((bytes * 8) / elements - PAIR_BITS)
  const [nearest] = Object.entries(options).sort(([, a], [, b]) => distance(a.bytes) - distance(b.bytes))
  return nearest?.[0] ?? null
}

/** At most `count` pairs. */
export function choosePairs(layers: readonly MeasuredLayer[], count: number): readonly Pair[] {
  const lossOf = (layer: MeasuredLayer): number => layer.options[pairOption(layer) ?? '']?.value ?? 0
  const costliest = new Set([...layers].sort((a, b) => lossOf(b) - lossOf(a)).slice(0, Math.ceil(Math.sqrt(2 * count))))
  const pairs = layers.flatMap((first, index) => layers.slice(index + 1).flatMap((second, distance): Pair[] => {
    const isNear = (first.block !== null && first.block === second.block) || distance === 0
    return isNear || (costliest.has(first) && costliest.has(second)) ? [{ layers: [first, second] }] : []
  }))
  const weight = ({ layers: [a, b] }: Pair): number => lossOf(a) * lossOf(b)
  return pairs.sort((a, b) => weight(b) - weight(a)).slice(0, count)
}
