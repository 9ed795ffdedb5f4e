/** @file The table of metrics: what each needs of a model, and how it turns a layer's error into a loss. */
import type { Term } from '../terms/term.ts'
import { terms } from '../terms/terms.ts'
import { fisherOutput } from './fisher-output.ts'
import { hessianTop } from './hessian-top.ts'
import { hessianTrace } from './hessian-trace.ts'
import { imatrix } from './imatrix.ts'
import { layerOutput } from './layer-output.ts'
import type { LocalMetric } from './metric.ts'
import { sqnr } from './sqnr.ts'

export interface Metric {
  /** Null where a term puts gradients against the errors instead. */
  readonly local: LocalMetric | null
  /**
   * Which options' divergence is measured with the layer replaced, by their bits per weight (smallest first): none, some as
   * probes that scale the local error, or all of them.
   */
  readonly probes: (bits: readonly number[]) => readonly number[]
  /** Derivatives of the loss that are taken before anything is rounded. */
  readonly scales: 'trace' | 'top' | 'outputs' | null
  /** What each sample's gradient says of an error, once all options are rounded. */
  readonly term: Term | null
  /** In a word or two, for tables and screens. */
  readonly unit: string
}

/** Bits per weight at which the divergence of a layer is probed: where budgets usually end, and well above. */
const probedBits = [3, 4.5] as const

const closest = (bits: readonly number[], wanted: number): number => bits.reduce((best, value, index) => (Math.abs(value - wanted) < Math.abs((bits[best] ?? Infinity) - wanted) ? index : best), 0)

const none = (): readonly number[] => []
const local = (metric: LocalMetric, unit: string, scales: Metric['scales'] = null): Metric => ({ local: metric, probes: none, scales, term: null, unit })
const gradient = (term: Term): Metric => ({ local: null, probes: none, scales: null, term, unit: term.unit })

export const metrics = {
  'layer-output': local(layerOutput, 'output error'),
  imatrix: local(imatrix, 'weighted error'),
  sqnr: local(sqnr, 'noise to signal'),
  'hessian-trace': local(hessianTrace, 'mean trace · ‖Δ‖²', 'trace'),
  'hessian-top': local(hessianTop, 'λ · ‖Δ‖²', 'top'),
  'fisher-output': local(fisherOutput, 'Fisher of outputs', 'outputs'),
  fisher: gradient(terms.fisher),
  'fisher-rows': gradient(terms['fisher-rows']),
  taylor: gradient(terms.taylor),
  'kl-scaled': { local: layerOutput, probes: (bits) => [...new Set(probedBits.map((wanted) => closest(bits, wanted)))], scales: null, term: null, unit: 'KL' },
  kl: { local: layerOutput, probes: (bits) => [...bits.keys()], scales: null, term: null, unit: 'KL' },
} as const satisfies Record<string, Metric>
export type MetricName = keyof typeof metrics
export const metricNames = Object.keys(metrics)

/** Whether `name` is a metric of decoders. */
export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(metrics, name)
}
