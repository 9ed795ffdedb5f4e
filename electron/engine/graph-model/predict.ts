/**
 * @file What a run over a graph will take, before it runs: its passes at the time the machine took for one, its statistics and
 * rounding by their products over the machine's speed, and the sum of what is resident at its widest moment.
 */
import type { Machine } from '../job/machine.ts'
import { sweptFactor } from '../predict.ts'
import { layerRuns, patchesWanted } from './inputs.ts'
import type { GraphLayer } from './layers.ts'
import type { GraphModel } from './open.ts'
import { quantizeRunBytes } from './quantize-graph.ts'
import { positionsOf, type Survey } from './survey.ts'

export interface GraphRunSize {
  /** Samples calibrated on; 0 without data. */
  readonly samples: number
  /** Samples the result is judged on. */
  readonly heldOut: number
  readonly rounder: string
}

/** Hashing, reading samples, the job's files, the export: what hardly grows. */
const fixedMs = 600
/** Share of the graph that a pass for some of its layers runs, on average. */
const passShare = 0.6
/** Passes of both graphs over a held-out sample: that of the compressed one dequantizes as it goes. */
const judgingPasses = 2.5
/** Sessions opened to judge, the compressed one at about the cost of the original. */
const judgingSessions = 2
/** What of a product's speed Gram matrices and error feedback reach. */
const statisticsEfficiency = 0.3
const roundingEfficiency = 0.2
/** Operations a weight that a search over scales costs. */
const searchOperations = 2000
/** Numbers a second that patches are copied at, and small Gram matrices summed at. */
const copiedPerSecond = 7e8

/** The process with its libraries and the runtime's arenas, before any weight. */
const processBytes = 280e6
/** Copies of the model alive at once: its message, the runtime's own, and outputs. */
const modelCopies = 4
/** Copies of the activations that are looked at, the runtime's arena included. */
const activationCopies = 5

function statisticsMs(layer: GraphLayer, { samples }: GraphRunSize, survey: Survey, flops: number): number {
  const { shape: [, cols], groups, sites } = layer
  const positions = positionsOf(layer, survey) * samples
  const isConvolution = sites.some(({ operator }) => operator === 'Conv')
  const rows = isConvolution ? Math.min(positions, patchesWanted(cols)) : positions
  const products = groups === 1 ? (2 * rows * cols ** 2) / (flops * statisticsEfficiency) : (groups * rows * cols ** 2) / copiedPerSecond
  return 1000 * (products + (isConvolution ? (groups * rows * cols) / copiedPerSecond : 0))
}

function roundingMs({ shape: [rows, cols], kind, groups }: GraphLayer, { rounder, samples }: GraphRunSize, flops: number): number {
  const own = groups > 8 ? 1 : groups
  const feedback = rounder === 'gptq' && samples > 0 && kind !== 'embedding'
  const work = feedback ? own * cols ** 3 + sweptFactor * 2 * rows * cols ** 2 : rounder === 'nearest' ? 0 : searchOperations * rows * cols
  return (1000 * work) / (flops * roundingEfficiency)
}

/** Predicts time and peak memory of quantizing, exporting and evaluating. `survey` is null where there are no samples. */
export function predictGraph({ layers, sizeBytes }: Pick<GraphModel, 'layers' | 'sizeBytes'>, size: GraphRunSize, survey: Survey | null, { flops }: Machine): { peakMemoryBytes: number; elapsedMs: number } {
  const widest = layers.reduce((most, { shape: [, cols], groups }) => Math.max(most, 12 * groups * cols ** 2), 0)
  const rounding = layers.reduce((sum, layer) => sum + roundingMs(layer, size, flops), 0)
  const passes = survey === null ? 0
    : layerRuns(layers, quantizeRunBytes).length * (survey.openMs + size.samples * survey.passMs) * passShare
      + layers.reduce((sum, layer) => sum + statisticsMs(layer, size, survey, flops), 0)
      + judgingSessions * survey.openMs + size.heldOut * judgingPasses * survey.passMs
  return {
    peakMemoryBytes: Math.round(processBytes + modelCopies * sizeBytes + widest + activationCopies * (survey?.activationBytes ?? 0)),
    elapsedMs: Math.round(fixedMs + rounding + passes),
  }
}
