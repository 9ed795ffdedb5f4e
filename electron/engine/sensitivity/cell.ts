/**
 * @file A cell of the sensitivity map seen closely: how a layer's weights are spread, the values one of its groups can take in a
 * format, and how the error differs between groups. Large layers are looked at in a sample of rows.
 */
import { kernels } from '../../../kernels/kernels.ts'
import type { CellView } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import { parseOption, type CodecName } from '../../contract/options.ts'
import { padColumns } from '../graph-model/pack.ts'
import type { DecoderModel } from '../session/model.ts'

/** A decoder or a graph: `readRows` reads part of the tables of a decoder, which may be large. */
export interface CellModel {
  readonly path: string
  readonly layers: readonly { readonly name: string; readonly shape: readonly [number, number] }[]
  readonly readWeight: (layer: string) => Promise<Float32Array>
  readonly readRows?: DecoderModel['readRows']
}

/** Weights looked at: the shape of a histogram does not change beyond. */
const mostWeights = 1 << 19
const weightBins = 61
const errorBins = 24
/** The histogram reaches that many standard deviations; what lies beyond is counted in its end bins. */
const reach = 5
/** Grid values drawn: those of an 8-bit group. */
const mostLevels = 256

/** Weights that share a scale, for formats whose name does not say it. K-quants scale sub-blocks of their 256. */
const groups: Readonly<Record<string, number>> = {
  Q2_K: 16, Q3_K: 16, Q6_K: 16, Q4_K: 32, Q5_K: 32, Q4_0: 32, Q4_1: 32, Q5_0: 32, Q5_1: 32, Q8_0: 32, IQ4_NL: 32, IQ4_XS: 32, MXFP4: 32, TQ1_0: 256, TQ2_0: 256,
}

/** Weights in a group of the format, in rows of `cols`. */
export function gridGroup(codec: string, cols: number): number {
  const stated = /^int\d-g(\d+)/.exec(codec)?.[1]
  return stated === undefined ? groups[codec] ?? cols : Number(stated)
}

/** Counts of values in equal bins over [low, high]; the end bins hold what lies beyond. */
export function histogramOf(values: Iterable<number>, low: number, high: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0)
  const scale = high > low ? bins / (high - low) : 0
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((value - low) * scale)))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts
}

/** Relative root mean square error of each group: ‖w − ŵ‖ / ‖w‖. */
export function groupErrors(weights: Float32Array, rounded: Float32Array, group: number): Float64Array {
  const errors = new Float64Array(Math.ceil(weights.length / group))
  for (let g = 0; g < errors.length; g++) {
    let [noise, signal] = [0, 0]
    for (let i = g * group; i < Math.min(weights.length, (g + 1) * group); i++) {
      noise += (weights[i] - rounded[i]) ** 2
      signal += weights[i] ** 2
    }
    errors[g] = signal > 0 ? Math.sqrt(noise / signal) : 0
  }
  return errors
}

/** At most `mostWeights` of a layer in whole rows: [rows, cols] and the rows there are. */
async function sampleRows(model: CellModel, name: string): Promise<{ weights: Float32Array; rows: number; cols: number; allRows: number }> {
  const layer = model.layers.find((one) => one.name === name)
  if (!layer) throw new AppError('bad-request', `${model.path}: found no layer "${name}" in this model`, { hint: 'Open the model again.' })
  const [allRows, cols] = layer.shape
  const rows = Math.max(1, Math.min(allRows, Math.floor(mostWeights / cols)))
  if (model.readRows && (name === 'embedding' || name === 'head')) {
    const first = Math.floor((allRows - rows) / 2)
    return { weights: await model.readRows(name, [first, first + rows]), rows, cols, allRows }
  }
  const all = await model.readWeight(name)
  if (rows === allRows) return { weights: all, rows, cols, allRows }
  const weights = new Float32Array(rows * cols)
  for (let row = 0; row < rows; row++) {
    const from = Math.floor((row * allRows) / rows) * cols
    weights.set(all.subarray(from, from + cols), row * cols)
  }
  return { weights, rows, cols, allRows }
}

/** The view of one layer in one option (its rank does not matter here). */
export async function viewCell(model: CellModel, layer: string, option: string, method: 'nearest' | 'search'): Promise<CellView> {
  const codec = parseOption(option).codec as CodecName
  const block = kernels().codecBlock(codec)
  if (block === undefined) throw new AppError('bad-request', `${option}: no format of this name`, { hint: 'Choose a cell of the map.' })
  const { weights, rows, cols: own, allRows } = await sampleRows(model, layer)
  const cols = block === 0 ? own : Math.ceil(own / block) * block // graphs fill rows up to whole groups
  const stored = padColumns(weights, rows, own, cols)
  const shape = { rows, cols }
  const bytes = new Uint8Array(kernels().codecBytes(codec, shape))
  await kernels().encode(codec, shape, stored, null, method, bytes)
  const rounded = new Float32Array(stored.length)
  await kernels().decode(codec, shape, bytes, rounded)

  const group = Math.min(cols, gridGroup(codec, cols))
  const errors = groupErrors(stored, rounded, group)
  const order = [...errors.keys()].sort((a, b) => (errors[a] ?? 0) - (errors[b] ?? 0))
  const middle = order[order.length >> 1] ?? 0
  const levels = [...new Set(rounded.subarray(middle * group, (middle + 1) * group))].sort((a, b) => a - b).slice(0, mostLevels)
  const { low, high } = rangeOf(weights)
  const total = groupErrors(stored, rounded, stored.length)[0] ?? 0
  const worst = errors.reduce((most, error) => Math.max(most, error), 0)
  return {
    layer, option, group, rows, allRows, relativeError: total,
    weights: { low, high, counts: histogramOf(weights, low, high, weightBins) },
    levels, sample: [...stored.subarray(middle * group, (middle + 1) * group)].slice(0, mostLevels),
    errors: { low: 0, high: worst, counts: histogramOf(errors, 0, worst, errorBins) },
  }
}

/** ±`reach` standard deviations, or the values' own range where that is narrower. */
function rangeOf(values: Float32Array): { low: number; high: number } {
  let [sum, squares, least, most] = [0, 0, Infinity, -Infinity]
  for (const value of values) {
    sum += value
    squares += value * value
    least = Math.min(least, value)
    most = Math.max(most, value)
  }
  const mean = sum / values.length
  const deviation = Math.sqrt(Math.max(0, squares / values.length - mean * mean))
  return { low: Math.max(least, mean - reach * deviation), high: Math.min(most, mean + reach * deviation) }
}
