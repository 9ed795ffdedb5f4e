/**
 * @file What a measurement will take, before it begins: the passes over the text, the rounding of every layer to every format, and
 * the divergences of whole models, over this machine's measured speed.
 */
import type { Target } from '../contract/options.ts'
import type { rounders } from '../contract/recipe.ts'
import type { Machine } from './job/machine.ts'
import { blockEfficiency, guidePasses, roundingEfficiency, statisticsEfficiency } from './predict.ts'
import { measuredOptions } from './sensitivity/measured-options.ts'
import { isGuided } from './quantize/rounders/rounders.ts'
import { metrics, type MetricName } from './sensitivity/metrics/metrics.ts'
import type { DecoderModel } from './session/model.ts'

export interface MeasureSize {
  /** 0 without data. */
  readonly windows: number
  readonly length: number
  readonly target: Target
  readonly metric: MetricName
  readonly rounder: (typeof rounders)[number]
  /** Low-rank corrections are measured beside every format. */
  readonly isCorrected: boolean
}

/** Operations a weight takes where codes are only rounded, and where scales are searched. */
const plainRounding = { nearest: 200, search: 1000 } as const
/** Windows on which divergences are taken. */
const probeWindows = 4
/** Measuring corrections too takes about as long again. */
const correctedFactor = 2

/** Time in milliseconds; null for metrics of derivatives, whose time depends on how soon they settle. */
export function predictMeasure({ spec, layers }: DecoderModel, { windows, length, target, metric, rounder, isCorrected }: MeasureSize, { flops }: Machine): number | null {
  const { scales, term, probes } = metrics[metric]
  if (scales !== null || term !== null) return null
  const weightsOf = ({ shape: [rows, cols] }: (typeof layers)[number]): number => rows * cols
  const blockWeights = layers.reduce((sum, layer) => sum + (layer.block === null ? 0 : weightsOf(layer)), 0)
  const forward = 2 * blockWeights + 4 * spec.blocks * spec.heads * spec.headSize * length
  const head = 2 * spec.vocabulary * spec.hidden
  const inputs = [spec.hidden, spec.heads * spec.headSize, spec.hidden, spec.intermediate]
  const gram = spec.blocks * inputs.reduce((sum, cols) => sum + cols * cols, 0)
  let [rounding, errors, streams] = [0, 0, 0]
  for (const layer of layers) {
    const { options } = measuredOptions([target], layer)
    const [rows, cols] = layer.shape
    rounding += rounder === 'gptq' || rounder === 'guided' ? options.length * 2 * rows * cols * cols + cols ** 3 : options.length * plainRounding[rounder] * rows * cols
    if (windows > 0) errors += options.length * 2 * rows * cols * cols
    streams += probes(options.map(({ bytes }) => (8 * bytes) / weightsOf(layer))).length
  }
  // A layer that is replaced is followed through the blocks after it: half of them on average.
  const divergences = streams * Math.min(probeWindows, windows) * length * (forward / 2 + head)
  const seconds =
    (forward * windows * length * (isGuided(rounder) ? 1 + guidePasses : 1) + divergences) / (flops * blockEfficiency) +
    (gram * windows * length + errors) / (flops * statisticsEfficiency) +
    rounding / (flops * roundingEfficiency)
  return Math.round(seconds * 1000 * (isCorrected ? correctedFactor : 1))
}
