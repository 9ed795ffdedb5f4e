/** @file The table of metrics: how each turns a layer's error into a loss. */
import { imatrix } from './imatrix.ts'
import { layerOutput } from './layer-output.ts'
import type { LocalMetric } from './metric.ts'
import { sqnr } from './sqnr.ts'

export interface Metric {
  readonly local: LocalMetric
  /**
   * Which options' divergence is measured with the layer replaced, by their bits per weight (smallest first): none, some as
   * probes that scale the local error, or all of them.
   */
  readonly probes: (bits: readonly number[]) => readonly number[]
  /** In a word or two, for tables and screens. */
  readonly unit: string
}

/** Bits per weight at which the divergence of a layer is probed: where budgets usually end, and well above. */
const probedBits = [3, 4.5] as const

const closest = (bits: readonly number[], wanted: number): number => bits.reduce((best, value, index) => (Math.abs(value - wanted) < Math.abs((bits[best] ?? Infinity) - wanted) ? index : best), 0)

export const metrics = {
  'layer-output': { local: layerOutput, probes: () => [], unit: 'output error' },
  imatrix: { local: imatrix, probes: () => [], unit: 'weighted error' },
  sqnr: { local: sqnr, probes: () => [], unit: 'noise to signal' },
  'kl-scaled': { local: layerOutput, probes: (bits) => [...new Set(probedBits.map((wanted) => closest(bits, wanted)))], unit: 'KL' },
  kl: { local: layerOutput, probes: (bits) => [...bits.keys()], unit: 'KL' },
} as const satisfies Record<string, Metric>
export type MetricName = keyof typeof metrics
export const metricNames = Object.keys(metrics)

/** Whether `name` is a metric of decoders. */
export function isMetric(name: string): name is MetricName {
  return Object.hasOwn(metrics, name)
}
