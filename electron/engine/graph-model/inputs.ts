/**
 * @file Statistics of what the layers of a graph read: one pass of the samples through the graph with those activations as outputs.
 * A product sees its rows, a convolution the patches under its kernel (im2col), by group, a recurrent weight inputs or states, by
 * direction; a table counts its rows. Layers are taken in runs whose Hessians fit in memory together.
 */
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import { addInputs, emptyStatistics, type Statistics } from '../calibrate/statistics.ts'
import { elementCount } from '../graph/element.ts'
import { openGraph } from '../graph/open.ts'
import { prune } from '../graph/prune.ts'
import { viewNode } from '../graph/shapes/rule.ts'
import { roundingStatistics, type RoundingStatistics } from '../quantize/rounders/rounder.ts'
import { kernels, type SessionOptions, type Tensor } from '../../../kernels/kernels.ts'
import type { Graph } from '../graph/graph.ts'
import type { GraphSample } from './data.ts'
import type { GraphLayer, Site } from './layers.ts'
import { patchPlaces, patchWindow, takePatches, type PatchWindow } from './patches.ts'

/** What is known of a layer's inputs. */
export interface LayerInputs {
  /** A group each; empty for a table that is only looked up. */
  readonly groups: readonly RoundingStatistics[]
  /** How often each row is looked up, per look-up; null where the layer is not looked up. */
  readonly rowUse: Float64Array | null
}

/** Hessians in memory at once, in bytes. */
const runBytes = 512 << 20
/** Patches wanted of a convolution over all samples: enough to know a Hessian of `cols` columns, not more. */
const patchesLeast = 1024
const patchesPerColumn = 4
/** Columns up to which a group's Hessian is summed here: a depthwise kernel has hundreds of groups of 9 or 25 columns. */
const smallColumns = 64

/** Patches wanted of a convolution with so many columns. */
export const patchesWanted = (cols: number): number => Math.max(patchesLeast, patchesPerColumn * cols)

const hessianBytes = ({ shape: [, cols], groups, sites }: GraphLayer): number => (sites.every(({ operator }) => operator === 'Gather') ? 0 : 8 * cols * cols * groups)

/** The layers in runs of consecutive ones whose statistics fit in memory together. */
export function layerRuns(layers: readonly GraphLayer[], most = runBytes): readonly (readonly GraphLayer[])[] {
  const runs: GraphLayer[][] = []
  let bytes = Infinity
  for (const layer of layers) {
    const own = hessianBytes(layer)
    if (bytes + own > most) {
      runs.push([])
      bytes = 0
    }
    runs.at(-1)?.push(layer)
    bytes += own
  }
  return runs
}

/** Whether what multiplies the weight can be looked at. */
const isKnown = ({ sites }: GraphLayer): boolean => sites.every(({ operator }) => operator !== 'other')

/** The value whose rows a site multiplies the weight with. */
const readBy = ({ states, input }: Site): string => states ?? input

/** Layers that read the same activation in the same way share statistics. */
function sharedKey({ sites, shape: [, cols], groups, layout }: GraphLayer): string {
  const products = sites.filter(({ operator }) => operator !== 'Gather')
  const window = ({ operator, node }: Site): string => (operator === 'Conv' ? JSON.stringify(Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1))) : '')
  return JSON.stringify([products.map((site) => [readBy(site), window(site)]), cols, groups, layout])
}

interface Collected {
  readonly statistics: readonly Statistics[]
  readonly windows: readonly (PatchWindow | null)[]
  readonly sites: readonly Site[]
  readonly layer: GraphLayer
}

/** Bits of float16 as float32 numbers, or the numbers themselves. */
async function floatsOf({ type, data }: Tensor, name: string): Promise<Float32Array> {
  if (data instanceof Float32Array) return data
  if (type === 'float16' && data instanceof Uint16Array) {
    const out = new Float32Array(data.length)
    await kernels().decode('F16', { rows: 1, cols: data.length }, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), out)
    return out
  }
  throw new AppError('unsupported-tensor', `activation '${name}': found ${type}, expected float32 or float16`)
}

async function addSite({ statistics, windows, sites, layer }: Collected, at: number, value: Tensor, patches: number): Promise<void> {
  const window = windows[at]
  const x = await floatsOf(value, readBy(sites[at]))
  if (window === null) {
    for (const [group, held] of statistics.entries()) await addInputs(held, statistics.length === 1 ? x : ofDirection(x, value.dims, sites[at], group))
    return
  }
  const places = patchPlaces(value.dims, window, patches)
  for (let group = 0; group < statistics.length; group++) {
    const rows = takePatches(x, value.dims, places, group, layer.groups)
    if (statistics.length > 1 && layer.shape[1] <= smallColumns) addSmall(statistics[group], rows)
    else await addInputs(statistics[group], rows)
  }
}

/** States of one direction, [rows, hidden], of [time, directions, batch, hidden], or [batch, time, directions, hidden] where the node lays them so. */
function ofDirection(x: Float32Array, dims: readonly number[], { node }: Site, direction: number): Float32Array {
  const axis = viewNode(node, 14).int('layout', 0) === 0 ? 1 : 2
  const run = elementCount(dims.slice(axis + 1))
  const count = elementCount(dims.slice(0, axis))
  const rows = new Float32Array(count * run)
  for (let at = 0; at < count; at++) rows.set(x.subarray((at * dims[axis] + direction) * run, (at * dims[axis] + direction + 1) * run), at * run)
  return rows
}

/** Of inputs that are not known: as many directions as columns, all alike, so that an error counts by its size. */
function alike(cols: number): RoundingStatistics {
  const hessian = new Float64Array(cols * cols)
  for (let at = 0; at < cols; at++) hessian[at * cols + at] = 1
  return roundingStatistics({ ...emptyStatistics(cols), hessian, absolute: new Float64Array(cols).fill(1), maximum: new Float32Array(cols).fill(1), tokens: 1 })
}

/** The graph with the states of recurrent nodes among their outputs, where a layer wants them. */
function withStates(graph: Graph, run: readonly GraphLayer[]): Graph {
  const wanted = new Map(run.flatMap(({ sites }) => sites.flatMap(({ node, states }) => (states === undefined ? [] : [[node, states] as const]))))
  return { ...graph, nodes: graph.nodes.map((node) => ({ ...node, outputs: wanted.has(node) ? [wanted.get(node) ?? '', ...node.outputs.slice(1)] : node.outputs })) }
}

/** What `addInputs` does, for few columns. */
function addSmall(held: Statistics, x: Float32Array): void {
  const { cols, hessian, absolute, maximum } = held
  for (let start = 0; start < x.length; start += cols) {
    held.tokens++
    let bad = 0
    for (let i = 0; i < cols; i++) if (!Number.isFinite(x[start + i])) bad++
    held.notFinite += bad
    if (bad > 0) continue
    for (let i = 0; i < cols; i++) {
      const value = x[start + i]
      absolute[i] += Math.abs(value)
      if (Math.abs(value) > maximum[i]) maximum[i] = Math.abs(value)
      if (value !== 0) for (let j = 0; j < cols; j++) hessian[i * cols + j] += value * x[start + j]
    }
  }
}

/** One pass of the samples through `graph` for the layers of a run; nothing is known of any without samples. */
export async function collectInputs(graph: Graph, run: readonly GraphLayer[], samples: readonly GraphSample[], session: SessionOptions, { signal }: Pick<Context, 'signal'>): Promise<ReadonlyMap<string, LayerInputs>> {
  if (samples.length === 0) return new Map()
  const shared = new Map<string, Collected>()
  const rowUses = new Map<string, Float64Array>()
  for (const layer of run) {
    const sites = layer.sites.filter(({ operator }) => operator !== 'Gather')
    if (sites.length < layer.sites.length) rowUses.set(layer.name, new Float64Array(layer.shape[0]))
    const key = sharedKey(layer)
    if (sites.length === 0 || shared.has(key) || !isKnown(layer)) continue
    const windows = sites.map(({ operator, node }) => (operator === 'Conv' || operator === 'ConvTranspose' ? patchWindow(viewNode(node, graph.opset[''] ?? 1), operator, layer.initializer.dims) : null))
    shared.set(key, { statistics: Array.from({ length: layer.groups }, () => emptyStatistics(layer.shape[1])), windows, sites, layer })
  }
  const wanted = new Map(run.filter(isKnown).flatMap((layer) => layer.sites.map((site) => [readBy(site), site.operator === 'Gather' ? graph.values.get(site.input)?.type ?? 'int64' : activationType(layer)] as const)))
  const fed = new Set(graph.inputs.map(({ name }) => name))
  const computed = [...wanted].filter(([name]) => !fed.has(name) && !graph.initializers.has(name))
  const part = prune({ ...withStates(graph, run), outputs: computed.map(([name, type]) => ({ name, type, shape: null })) })
  const opened = computed.length === 0 ? null : await openGraph(part, { optimization: 'basic', ...session }) // wider fusions swallow values that are asked for, such as the positions of an embedding
  try {
    for (const { feeds } of samples) {
      signal.throwIfAborted()
      const values: Record<string, Tensor> = { ...feeds, ...(opened === null ? {} : await opened.run(pick(feeds, opened.inputNames), Object.fromEntries(computed.map(([name]) => [name, null])), signal)) }
      for (const collected of shared.values()) {
        const patches = Math.ceil(patchesWanted(collected.layer.shape[1]) / samples.length)
        for (let at = 0; at < collected.sites.length; at++) {
          const value = values[readBy(collected.sites[at])]
          if (value !== undefined) await addSite(collected, at, value, patches)
        }
      }
      for (const layer of run) countRows(layer, values, rowUses.get(layer.name))
    }
  } finally {
    opened?.dispose()
  }
  const rounding = new Map([...shared].map(([key, { statistics }]) => [key, statistics.map(roundingStatistics)]))
  return new Map(run.map((layer) => {
    const use = rowUses.get(layer.name)
    const total = use?.reduce((sum, count) => sum + count, 0) ?? 0
    return [layer.name, { groups: isKnown(layer) ? rounding.get(sharedKey(layer)) ?? [] : [alike(layer.shape[1])], rowUse: use === undefined ? null : use.map((count) => count / Math.max(total, 1)) }]
  }))
}

/** Type of the activation beside a layer's weight. */
export function activationType({ initializer, sites }: GraphLayer): 'float32' | 'float16' {
  return initializer.type === 'float16' && !sites.some(({ via }) => via.some(({ op }) => op === 'Cast')) ? 'float16' : 'float32'
}

function pick(feeds: Readonly<Record<string, Tensor>>, names: readonly string[]): Record<string, Tensor> {
  return Object.fromEntries(names.map((name) => [name, feeds[name]]))
}

function countRows({ sites, shape: [rows] }: GraphLayer, values: Readonly<Record<string, Tensor>>, use: Float64Array | undefined): void {
  if (use === undefined) return
  for (const { operator, input } of sites) {
    if (operator !== 'Gather') continue
    for (const id of values[input]?.data ?? []) {
      const row = Number(id) < 0 ? Number(id) + rows : Number(id)
      use[row] += 1
    }
  }
}
