/** @file Rounds a layer of a graph to an option: by groups of a convolution, columns filled up where the format wants whole groups. */
import { kernels } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import type { CodecName } from '../../contract/options.ts'
import type { Statistics } from '../calibrate/statistics.ts'
import type { LayerScale, LocalMetric } from '../sensitivity/metrics/metric.ts'
import { imatrix } from '../sensitivity/metrics/imatrix.ts'
import { layerOutput } from '../sensitivity/metrics/layer-output.ts'
import { roundingStatistics, type Rounder, type RoundingStatistics } from '../quantize/rounders/rounder.ts'
import type { LayerInputs } from './inputs.ts'
import type { GraphLayer } from './layers.ts'
import { padColumns } from './pack.ts'
import { graphOptions, storageOf } from './storage.ts'

/** An option's name as a codec. */
export function codecOf(option: string): CodecName {
  const codec = graphOptions.find((name) => name === option)
  if (codec === undefined) throw new AppError('bad-request', `option ${option}: found none of that name for ONNX graphs, expected one of ${graphOptions.join(', ')}`)
  return codec
}

/** The codec's columns for a layer under an option. @throws AppError bad-recipe where the layer cannot take it */
export function storedColumns(layer: GraphLayer, option: string): number {
  const storage = storageOf(layer, option)
  if ('reason' in storage) throw new AppError('bad-recipe', `layer ${layer.name}: found option ${option}, which it cannot take: ${storage.reason}`, { hint: 'Plan again from this model’s measurement.' })
  return storage.cols
}

/** Statistics with columns of zeros added: nothing ever reaches them. */
function widened({ statistics }: RoundingStatistics, cols: number): RoundingStatistics {
  const hessian = new Float64Array(cols * cols)
  for (let row = 0; row < statistics.cols; row++) hessian.set(statistics.hessian.subarray(row * statistics.cols, (row + 1) * statistics.cols), row * cols)
  const grown = <T extends Float64Array | Float32Array>(values: T, out: T): T => { out.set(values); return out }
  const wide: Statistics = { cols, hessian, absolute: grown(statistics.absolute, new Float64Array(cols)), maximum: grown(statistics.maximum, new Float32Array(cols)), tokens: statistics.tokens, notFinite: statistics.notFinite }
  return roundingStatistics(wide)
}

/** Groups up to which each is rounded for its own Hessian: kernels in more groups are tiny, and their inputs alike. */
const ownGroupsMost = 8

/** One Hessian for many groups: the mean of theirs, each of the same trace, so that none outweighs the others. */
function pooled(groups: readonly RoundingStatistics[]): RoundingStatistics {
  const cols = groups[0].statistics.cols
  const hessian = new Float64Array(cols * cols)
  let tokens = 0
  for (const { statistics } of groups) {
    tokens = Math.max(tokens, statistics.tokens)
    let trace = 0
    for (let j = 0; j < cols; j++) trace += statistics.hessian[j * cols + j]
    if (trace > 0) statistics.hessian.forEach((value, at) => { hessian[at] += value / trace })
  }
  return roundingStatistics({ cols, hessian: hessian.map((value) => (value * tokens) / groups.length), absolute: new Float64Array(cols), maximum: new Float32Array(cols), tokens, notFinite: 0 })
}

/** tr(Δ H Δᵀ) of the rows of one group, plainly. */
function smallError(weights: Float32Array, quantized: Float32Array, first: number, last: number, { cols, hessian }: Statistics): number {
  let sum = 0
  for (let row = first; row < last; row++) {
    for (let i = 0; i < cols; i++) {
      const left = weights[row * cols + i] - quantized[row * cols + i]
      for (let j = 0; j < cols; j++) sum += left * hessian[i * cols + j] * (weights[row * cols + j] - quantized[row * cols + j])
    }
  }
  return sum
}

/** The codec's bytes of a layer, [out, stored columns]. */
export async function roundLayer(rounder: Rounder, layer: GraphLayer, option: string, dense: Float32Array, inputs: LayerInputs | null): Promise<Uint8Array<ArrayBuffer>> {
  const [rows, cols] = layer.shape
  const stored = storedColumns(layer, option)
  const codec = codecOf(option)
  const padded = padColumns(dense, rows, cols, stored)
  const known = inputs?.groups ?? []
  const groups = known.length > ownGroupsMost ? [pooled(known)] : known
  if (groups.length <= 1) {
    const [only] = groups
    return rounder(codec, { rows, cols: stored }, padded, only === undefined ? null : stored === cols ? only : widened(only, stored))
  }
  const each = rows / groups.length
  const out = new Uint8Array(kernels().codecBytes(codec, { rows, cols: stored }))
  let at = 0
  for (const [group, statistics] of groups.entries()) {
    const bytes = await rounder(codec, { rows: each, cols: stored }, padded.slice(group * each * stored, (group + 1) * each * stored), statistics)
    out.set(bytes, at)
    at += bytes.length
  }
  return out
}

/** Metrics that look at the inputs, which groups of a convolution have of their own. */
const bySamples: ReadonlySet<LocalMetric> = new Set([layerOutput, imatrix])

/** A local metric of a layer: summed over the groups of a convolution, which have inputs of their own. */
export async function layerError(metric: LocalMetric, { shape: [rows, cols] }: GraphLayer, weights: Float32Array, quantized: Float32Array, { groups, rowUse }: LayerInputs, scale: LayerScale | null = null): Promise<number> {
  if (!bySamples.has(metric) || groups.length <= 1) return metric({ weights, quantized, shape: { rows, cols }, inputs: groups[0]?.statistics ?? null, rowUse, scale })
  if (metric === layerOutput && groups.length > ownGroupsMost) {
    const own = rows / groups.length
    return groups.reduce((total, { statistics }, group) => total + smallError(weights, quantized, group * own, (group + 1) * own, statistics) / Math.max(statistics.tokens, 1), 0)
  }
  const each = (rows / groups.length) * cols
  let sum = 0
  for (const [group, { statistics }] of groups.entries()) {
    const part = (values: Float32Array): Float32Array => values.slice(group * each, (group + 1) * each)
    sum += await metric({ weights: part(weights), quantized: part(quantized), shape: { rows: rows / groups.length, cols }, inputs: statistics, rowUse: null, scale })
  }
  return sum
}
