/**
 * @file Inter-layer dependencies in the costs of single layers: score_i = S_i + ½·Σ_j max(D_ij, 0) with D_ij = L_ij − S_i − S_j, the excess of two
 * layers together over both alone. A reconstruction: the paper (Schaefer et al. 2023) publishes the idea, not the formula. The ratio score_i / S_i
 * carries over to every option and to any metric, whatever its unit.
 */
import type { MeasuredLayer, PairLoss } from '../../../contract/sensitivity.ts'

/** By how much each layer's loss grows through the others: ≥ 1; layers of no pair are missing. */
export function pairFactors(pairs: readonly PairLoss[]): ReadonlyMap<string, number> {
  const alone = new Map<string, number>()
  const excess = new Map<string, number>()
  for (const { layers, alone: own, together } of pairs) {
    const more = Math.max(together - own[0] - own[1], 0)
    for (const [index, layer] of layers.entries()) {
      alone.set(layer, own[index])
      excess.set(layer, (excess.get(layer) ?? 0) + more / 2)
    }
  }
  return new Map([...alone].map(([layer, loss]) => [layer, loss > 0 ? 1 + (excess.get(layer) ?? 0) / loss : 1]))
}

/** The layers with their losses raised by what the pairs say. */
export function addPairs(layers: readonly MeasuredLayer[], pairs: readonly PairLoss[]): readonly MeasuredLayer[] {
  const factors = pairFactors(pairs)
  return layers.map((layer) => {
    const factor = factors.get(layer.name) ?? 1
    return { ...layer, options: Object.fromEntries(Object.entries(layer.options).map(([name, cost]) => [name, { ...cost, value: factor * cost.value, stderr: factor * cost.stderr }])) }
  })
}
