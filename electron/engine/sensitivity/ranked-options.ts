/**
 * @file What a layer loses under an option with a low-rank correction beside it. One fit tells every rank: the output error falls by
 * the components' gains. Metrics that are not the output error take the corrected weights as they are.
 */
import type { Shape } from '../../../kernels/kernels.ts'
import { optionName } from '../../contract/options.ts'
import type { Correction } from '../correct/corrections.ts'
import { branchOf, fitLowRank, residuals } from '../correct/fit.ts'
import type { CorrectionInputs } from '../correct/inputs.ts'
import { mergeBranch, subtract } from '../correct/merge.ts'
import type { Layer } from '../model.ts'
import { layerOutput } from './metrics/layer-output.ts'
import type { LayerError, LocalMetric } from './metrics/metric.ts'

/** Ranks worth asking for: each twice the bytes of the one before. */
export const defaultRanks: readonly number[] = [4, 8, 16, 32, 64]

export interface RankedMeasure {
  readonly correction: Correction
  readonly ranks: readonly number[]
  /** Bytes of a branch. */
  readonly bytes: (layer: Layer, rank: number) => number
}

export interface MeasuredOption {
  readonly name: string
  readonly bytes: number
}

/** The options of a layer with a rank beside `option`, by growing rank: none for tables, whose rows are looked up. */
export function rankedOptions({ ranks, bytes }: RankedMeasure, layer: Layer, option: MeasuredOption): (MeasuredOption & { rank: number })[] {
  if (layer.block === null) return []
  return ranks.filter((rank) => rank <= Math.min(...layer.shape)).sort((a, b) => a - b).map((rank) => ({ rank, name: optionName({ codec: option.name, rank }), bytes: option.bytes + bytes(layer, rank) }))
}

/** Losses by name of `ranked`, options of one codec. `loss` is that of the codec alone. */
export async function rankedLosses(measure: RankedMeasure, ranked: readonly { name: string; rank: number }[], error: LayerError, inputs: CorrectionInputs | null, metric: LocalMetric, loss: number, signal: AbortSignal): Promise<Record<string, number>> {
  const losses: Record<string, number> = {}
  const shape: Shape = error.shape
  const fit = await fitLowRank(await subtract(error.weights, error.quantized), shape, measure.correction, inputs, Math.max(...ranked.map(({ rank }) => rank)), signal)
  const left = inputs && metric === layerOutput ? residuals(fit, loss) : null
  for (const { name, rank } of ranked) {
    losses[name] = left?.[rank] ?? (await metric({ ...error, quantized: await mergeBranch(error.quantized, branchOf(name, fit, rank)) }))
  }
  return losses
}
