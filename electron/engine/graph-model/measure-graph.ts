/**
 * @file Measures every layer of a graph under every option: statistics of its inputs from the samples, the option rounded as it will
 * be, its local error; and for metrics that want it the divergence of the outputs with that one layer replaced.
 */
import type { Context } from '../../contract/events.ts'
import type { MeasuredLayer, OptionCost } from '../../contract/sensitivity.ts'
import { monotoneCosts } from '../budget/monotone-costs.ts'
import { beginStage } from '../job/progress.ts'
import { scaledLoss, type Probe } from '../sensitivity/scale.ts'
import { relativeError, type LayerScale } from '../sensitivity/metrics/metric.ts'
import type { WorkFolder } from '../sensitivity/work-folder.ts'
import type { Metric } from '../sensitivity/metrics/metrics.ts'
import type { Rounder } from '../quantize/rounders/rounder.ts'
import type { GraphSample } from './data.ts'
import { collectInputs, layerRuns, type LayerInputs } from './inputs.ts'
import type { GraphLayer } from './layers.ts'
import type { GraphModel } from './open.ts'
import { decodeLayer } from './pack.ts'
import { openProbe, type ProbeRunner } from './probe.ts'
import { codecOf, layerError, roundLayer, storedColumns } from './round.ts'
import { graphOptionBytes } from './storage.ts'

export interface GraphMeasureTask {
  readonly model: GraphModel
  readonly samples: readonly GraphSample[]
  /** Samples of which the divergence is taken: the first ones. */
  readonly probeSamples: number
  readonly optionsOf: (layer: GraphLayer) => { readonly options: readonly string[]; readonly excluded: Readonly<Record<string, string>> }
  readonly metric: Metric
  readonly rounder: Rounder
  /** What a pass of derivatives found out about each layer, for metrics that scale by it. */
  readonly scales: ReadonlyMap<string, LayerScale> | null
  /** Where rounded options are kept, for metrics that put gradients against them. */
  readonly keep: Pick<WorkFolder, 'saveOption' | 'hasOption'> | null
  /** Layers finished by an earlier measurement. */
  readonly known: ReadonlyMap<string, MeasuredLayer>
  readonly save: (layers: readonly MeasuredLayer[]) => Promise<void>
}

/** Bytes of an option the layer is known to take. */
export function bytesOf(layer: GraphLayer, option: string): number {
  const size = graphOptionBytes(layer, option)
  return 'bytes' in size ? size.bytes : Infinity
}

/** The parts of a measured layer that do not depend on the metric. */
export function describeGraphLayer({ name, kind, shape, block, ties }: GraphLayer, excluded: Readonly<Record<string, string>>, options: Readonly<Record<string, OptionCost>>): MeasuredLayer {
  return { name, kind, shape: [...shape], elements: shape[0] * shape[1], block, ties, excluded: { ...excluded }, options: monotoneCosts({ ...options }) }
}

interface Work {
  readonly task: GraphMeasureTask
  readonly runner: ProbeRunner | null
  readonly context: Context
  readonly advance: (item: string) => void
}

async function measureLayer({ task, runner, context, advance }: Work, layer: GraphLayer, inputs: LayerInputs): Promise<MeasuredLayer> {
  const { options, excluded } = task.optionsOf(layer)
  const weights = await task.model.readWeight(layer.name)
  const sized = options.map((option) => ({ option, bytes: bytesOf(layer, option) })).sort((a, b) => a.bytes - b.bytes)
  const probed = new Set(task.metric.probes(sized.map(({ bytes }) => (bytes * 8) / weights.length)))
  const scale = task.scales?.get(layer.name) ?? null
  const errors = new Map<string, number>()
  const probes = new Map<string, Probe>()
  const probe = runner !== null && probed.size > 0 ? await runner.open(layer) : null
  try {
    for (const [index, { option, bytes }] of sized.entries()) {
      context.signal.throwIfAborted()
      const rounded = await roundLayer(task.rounder, layer, option, weights, inputs)
      await task.keep?.saveOption(layer.name, option, rounded)
      const quantized = await decodeLayer(layer, codecOf(option), storedColumns(layer, option), rounded)
      const error = task.metric.local === null ? 0 : await layerError(task.metric.local, layer, weights, quantized, inputs, scale)
      errors.set(option, error)
      if (probe !== null && probed.has(index)) probes.set(option, { error, ...(await probe.divergence(quantized)) })
      context.report({ type: 'cell', layer: layer.name, option, value: error, stderr: 0, bytes })
      advance(`${layer.name} ${option}`)
    }
  } finally {
    probe?.dispose()
  }
  const all = [...probes.values()]
  const costs = sized.map(({ option, bytes }): [string, OptionCost] => {
    const own = probes.get(option)
    const error = errors.get(option) ?? 0
    if (own !== undefined) return [option, { bytes, value: own.divergence, stderr: own.stderr }]
    return [option, { bytes, ...(all.length > 0 ? scaledLoss(error, all) : { value: error, stderr: error * relativeError(scale) }) }]
  })
  const { curvature } = scale ?? {}
  const derived = curvature === undefined ? {} : task.metric.scales === 'trace' ? { trace: { ...curvature } } : { topEigenvalue: curvature.value }
  const described = { ...describeGraphLayer(layer, excluded, Object.fromEntries(costs)), ...derived }
  for (const [option, cost] of Object.entries(described.options)) context.report({ type: 'cell', layer: layer.name, option, ...cost })
  return described
}

/** Measures all layers that are not known yet; the result is in the model's order. */
export async function measureGraph(task: GraphMeasureTask, context: Context): Promise<MeasuredLayer[]> {
  const { model: { graph, layers }, samples, metric, known } = task
  const units = (some: readonly GraphLayer[]): number => some.reduce((sum, layer) => sum + task.optionsOf(layer).options.length, 0)
  const left = layers.filter(({ name }) => !known.has(name))
  const total = units(layers)
  const progress = beginStage(context, 'measure', total, total - units(left))
  const done = new Map(known)
  const inOrder = (): MeasuredLayer[] => layers.flatMap(({ name }) => done.get(name) ?? [])
  const runner = metric.probes([1]).length > 0 ? await openProbe(graph, samples.slice(0, task.probeSamples), context) : null
  const work: Work = { task, runner, context, advance: (item) => progress.advance(item) }
  for (const run of layerRuns(left)) {
    const inputs = await collectInputs(graph, run, samples, {}, context)
    for (const layer of run) {
      done.set(layer.name, await measureLayer(work, layer, inputs.get(layer.name) ?? { groups: [], rowUse: null }))
      await task.save(inOrder())
    }
  }
  return inOrder()
}
