/**
 * @file Measures every layer of a decoder under every option, block by block: one forward pass of the calibration windows gives
 * the layer Hessians; each option is rounded with the rounder that will be used and its error taken; perturbed streams give
 * measured divergences for the metrics that want them. Peak memory is one block, whatever the depth.
 */
import { kernels, type Shape } from '../../../kernels/kernels.ts'
import type { Context } from '../../contract/events.ts'
import { parseOption, type CodecName } from '../../contract/options.ts'
import type { MeasuredLayer, OptionCost } from '../../contract/sensitivity.ts'
import { addGuided, tableStatistics, type Guidance } from '../calibrate/guidance.ts'
import { layersOfTap, taps, type BlockRunner, type BlockWeights, type Park, type Tap } from '../calibrate/runner.ts'
import { emptyStatistics, statisticsProblems, type Statistics } from '../calibrate/statistics.ts'
import { correctionInputs, type CorrectionInputs } from '../correct/inputs.ts'
import { beginStage } from '../job/progress.ts'
import type { BlockLayer, Layer } from '../model.ts'
import { roundingStatistics, type Rounder, type RoundingStatistics } from '../quantize/rounders/rounder.ts'
import type { OptionLoss } from './differentiable.ts'
import { relativeError, type LayerScale } from './metrics/metric.ts'
import type { Metric } from './metrics/metrics.ts'
import { rankedLosses, rankedOptions, type MeasuredOption, type RankedMeasure } from './ranked-options.ts'
import { scaledLoss, type Probe } from './scale.ts'
import { advanceStreams, scoreStreams, type Stream } from './streams.ts'
import type { WorkFolder } from './work-folder.ts'

export interface LayerOption {
  readonly name: CodecName
  readonly bytes: number
}

export interface MeasureTask {
  readonly layers: readonly Layer[]
  readonly runner: BlockRunner
  readonly windows: readonly Int32Array[]
  /** Windows of which the divergence is taken: the first ones. */
  readonly probeWindows: number
  readonly optionsOf: (layer: Layer) => { readonly options: readonly LayerOption[]; readonly excluded: Readonly<Record<string, string>> }
  /** Measures low-rank corrections beside every option too. */
  readonly ranked?: RankedMeasure | undefined
  readonly metric: Metric
  /** What derivatives said of the layers, where the metric asks for them. */
  readonly scales?: ReadonlyMap<string, LayerScale> | undefined
  /** Where rounded options are kept for a later pass, and found again. */
  readonly keep?: Pick<WorkFolder, 'hasOption' | 'option' | 'saveOption'> | undefined
  readonly rounder: Rounder
  /** Weighs the statistics' tokens; missing where all count alike. */
  readonly guidance?: Guidance | undefined
  readonly readWeight: (layer: string) => Promise<Float32Array>
  /** A place for the hidden states of `windows` windows. */
  readonly park: (windows: number) => Park
  /** Local errors known from an unfinished measurement: layer → option → error. */
  readonly known: ReadonlyMap<string, Readonly<Record<string, number>>>
  /** Called after each layer with all local errors so far. */
  readonly save: (layers: readonly MeasuredLayer[]) => Promise<void>
}

/** One layer at work: its weights and inputs. */
interface Subject {
  readonly layer: Layer
  readonly weights: Float32Array
  readonly inputs: RoundingStatistics | null
  readonly corrections: CorrectionInputs | null
  readonly rowUse: Float64Array | null
  readonly scale: LayerScale | null
}

interface Measured {
  readonly layer: Layer
  readonly options: readonly MeasuredOption[]
  readonly excluded: Readonly<Record<string, string>>
  readonly errors: Record<string, number>
  readonly probes: Map<string, Probe>
  readonly scale: LayerScale | null
}

const shapeOf = ({ shape: [rows, cols] }: Layer): Shape => ({ rows, cols })

/** How often each row of a table is looked up per token of the windows. */
export function rowUseOf(windows: readonly Int32Array[], rows: number): Float64Array {
  const use = new Float64Array(rows)
  const tokens = windows.reduce((sum, window) => sum + window.length, 0)
  for (const window of windows) for (const token of window) use[token] = (use[token] ?? 0) + 1 / tokens
  return use
}

/** Statistics of all taps of a block over all windows; `outputs` receives the block's hidden states. */
async function tapBlock(task: MeasureTask, block: number, weights: BlockWeights, clean: Park, wanted: boolean, { signal, report }: Context): Promise<Map<Tap, Statistics>> {
  const statistics = new Map<Tap, Statistics>()
  for (let window = 0; window < task.windows.length; window++) {
    signal.throwIfAborted()
    const hidden = await clean.get(window)
    if (!wanted) {
      await clean.set(window, await task.runner.run(block, hidden, weights))
      continue
    }
    const result = await task.runner.runTapped(block, hidden, weights)
    for (const tap of taps) {
      const inputs = result.taps[tap]
      const held = statistics.get(tap) ?? emptyStatistics(inputs.length / (hidden.length / task.runner.hidden))
      await addGuided(held, inputs, task.guidance?.roots(`blocks.${block}.${tap}`, window))
      statistics.set(tap, held)
    }
    await clean.set(window, result.hidden)
  }
  for (const [tap, held] of statistics) for (const text of statisticsProblems(held, `blocks.${block}.${tap}`)) report({ type: 'log', level: 'warning', text })
  return statistics
}

/** The dense weights of stored bytes, a new array. */
async function decoded(option: CodecName, layer: Layer, bytes: Uint8Array): Promise<Float32Array> {
  const dense = new Float32Array(layer.shape[0] * layer.shape[1])
  await kernels().decode(option, shapeOf(layer), bytes, dense)
  return dense
}

/** A layer as an option stores it, and dense. */
interface Rounded {
  readonly bytes: Uint8Array
  readonly dense: Float32Array
}

/** Rounds the subject to an option. */
async function rounded(task: MeasureTask, { layer, weights, inputs }: Subject, option: CodecName): Promise<Rounded> {
  const shape = shapeOf(layer)
  const isKept = task.keep?.hasOption(layer.name, option) ?? false
  const bytes = task.keep && isKept ? await task.keep.option(layer.name, option) : await task.rounder(option, shape, weights, inputs)
  if (!isKept) await task.keep?.saveOption(layer.name, option, bytes)
  return { bytes, dense: await decoded(option, layer, bytes) }
}

/** Takes an option whose divergence is wanted; its dense weights are released after. */
type TakeProbe = (option: CodecName, quantized: Rounded) => Promise<void>

/** Local errors of every option of a layer. */
async function measureLayer(task: MeasureTask, subject: Subject, probe: TakeProbe, advance: (item: string) => void, { signal, report }: Context): Promise<Measured> {
  const { layer, weights, inputs, corrections, rowUse, scale } = subject
  const { local, probes } = task.metric
  const all: MeasuredOption[] = []
  const { options, excluded } = task.optionsOf(layer)
  const known = task.known.get(layer.name) ?? {}
  const probed = new Set(probes(options.map((option) => (option.bytes * 8) / weights.length)))
  const errors: Record<string, number> = {}
  for (const [index, { name, bytes }] of options.entries()) {
    signal.throwIfAborted()
    const ranked = task.ranked ? rankedOptions(task.ranked, layer, { name, bytes }) : []
    const names = [name, ...ranked.map((option) => option.name)]
    all.push({ name, bytes }, ...ranked)
    if (probed.has(index) || names.some((one) => known[one] === undefined)) {
      const quantized = await rounded(task, subject, name)
      const error = { weights, quantized: quantized.dense, shape: shapeOf(layer), inputs: inputs?.statistics ?? null, rowUse, scale }
      const loss = local === null ? 0 : await local(error)
      errors[name] = loss
      if (local !== null && task.ranked && ranked.length > 0) Object.assign(errors, await rankedLosses(task.ranked, ranked, error, corrections, local, loss, signal))
      if (probed.has(index)) await probe(name, quantized)
      await kernels().release([quantized.dense])
    } else for (const one of names) errors[one] = known[one] ?? 0
    if (local !== null) report({ type: 'cell', layer: layer.name, option: name, value: errors[name] ?? 0, stderr: (errors[name] ?? 0) * relativeError(scale), bytes })
    advance(`${layer.name} ${name}`)
  }
  return { layer, options: all, excluded, errors, probes: new Map(), scale }
}

/** The layer as sensitivity.json has it; losses made monotone in bytes, for each rank by itself. */
export function describeLayer(layer: Layer, options: readonly MeasuredOption[], excluded: Readonly<Record<string, string>>, lossOf: (option: string) => OptionLoss): MeasuredLayer {
  const costs = options.map(({ name, bytes }): [string, OptionCost] => [name, { bytes, ...lossOf(name) }])
  costs.sort(([, a], [, b]) => a.bytes - b.bytes || b.value - a.value)
  const leastOf = new Map<number, number>()
  const monotone = costs.map(([name, cost]): [string, OptionCost] => {
    const { rank } = parseOption(name)
    const least = Math.min(leastOf.get(rank) ?? Infinity, cost.value)
    leastOf.set(rank, least)
    return [name, { ...cost, value: least }]
  })
  return {
    name: layer.name, kind: layer.kind, shape: [...layer.shape], elements: layer.shape[0] * layer.shape[1], block: layer.block, ties: layer.ties,
    excluded: { ...excluded }, options: Object.fromEntries(monotone),
  }
}

function describe({ layer, options, excluded, errors, probes, scale }: Measured): MeasuredLayer {
  const all = [...probes.values()]
  return describeLayer(layer, options, excluded, (option) => {
    const error = errors[option] ?? 0
    const probe = probes.get(option)
    if (probe) return { value: probe.divergence, stderr: probe.stderr }
    return all.length > 0 ? scaledLoss(error, all) : { value: error, stderr: error * relativeError(scale) }
  })
}

/** Measures all layers. Events: a cell for each layer and option, again with its final value where divergences scale it. */
export async function measureDecoder(task: MeasureTask, context: Context): Promise<MeasuredLayer[]> {
  const { layers, runner, windows, metric } = task
  const probeWindows = Math.min(task.probeWindows, windows.length)
  const total = layers.reduce((sum, layer) => sum + task.optionsOf(layer).options.length, 0)
  const progress = beginStage(context, 'measure', total)
  const advance = (item: string): void => progress.advance(item)
  const measured: Measured[] = []
  const streams: Stream[] = []
  const heads = new Map<Stream, () => Promise<Float32Array>>()
  const parks: Park[] = []
  const park = (count: number): Park => {
    const made = task.park(count)
    parks.push(made)
    return made
  }
  const finish = async (done: Measured): Promise<void> => {
    measured.push(done)
    await task.save(measured.map(describe))
  }
  try {
    const clean = park(windows.length)
    for (const [index, window] of windows.entries()) await clean.set(index, await runner.embed(window))
    const before = park(probeWindows) // the clean hidden states in front of the current block, of the probe windows
    for (let block = 0; block < runner.blocks; block++) {
      const weights = await runner.weights(block)
      const mine = layers.filter((layer) => layer.block === block)
      const wanted = metric.probes([1]).length > 0 || mine.some((layer) => task.optionsOf(layer).options.some((option) => [option, ...(task.ranked ? rankedOptions(task.ranked, layer, option) : [])].some(({ name }) => task.known.get(layer.name)?.[name] === undefined)))
      for (let window = 0; window < probeWindows; window++) await before.set(window, await clean.get(window))
      const statistics = await tapBlock(task, block, weights, clean, wanted, context)
      await advanceStreams(streams, probeWindows, runner, block, weights, context.signal)
      for (const tap of taps) {
        const inputs = statistics.get(tap)
        const shared = inputs ? roundingStatistics(inputs) : null
        const corrections = inputs && task.ranked ? correctionInputs(inputs) : null
        for (const part of layersOfTap[tap]) {
          const layer = mine.find((candidate) => candidate.name === `blocks.${block}.${part}`)
          const dense = weights[part]
          if (!layer || !dense) continue
          const probe: TakeProbe = async (option, { dense: quantized }) => {
            const hidden = park(probeWindows)
            const replaced = { ...weights, [part]: quantized } satisfies Partial<Record<BlockLayer, Float32Array>>
            for (let window = 0; window < probeWindows; window++) await hidden.set(window, await runner.run(block, await before.get(window), replaced))
            streams.push({ layer: layer.name, option, hidden })
          }
          await finish(await measureLayer(task, { layer, weights: dense, inputs: shared, corrections, rowUse: null, scale: task.scales?.get(layer.name) ?? null }, probe, advance, context))
        }
        await shared?.release()
      }
      await kernels().release(Object.values(weights))
    }
    await measureTables(task, { clean, probeWindows, streams, heads, park, finish, advance }, context)
    const scored = await scoreStreams(streams, clean, probeWindows, runner, heads, context.signal)
    for (const [index, { layer, option }] of streams.entries()) {
      const subject = measured.find((candidate) => candidate.layer.name === layer)
      const result = scored[index]
      if (subject && result) subject.probes.set(option, { error: subject.errors[option] ?? 0, divergence: result.value, stderr: result.stderr })
    }
    const order = new Map(layers.map((layer, index) => [layer.name, index]))
    const described = measured.map(describe).sort((a, b) => (order.get(a.name) ?? 0) - (order.get(b.name) ?? 0))
    for (const layer of described) for (const [option, cost] of Object.entries(layer.options)) if (parseOption(option).rank === 0) context.report({ type: 'cell', layer: layer.name, option, ...cost })
    return described
  } finally {
    await Promise.all(parks.map((made) => made.dispose()))
  }
}

interface TableWork {
  readonly clean: Park
  readonly probeWindows: number
  readonly streams: Stream[]
  readonly heads: Map<Stream, () => Promise<Float32Array>>
  readonly park: (windows: number) => Park
  readonly finish: (done: Measured) => Promise<void>
  readonly advance: (item: string) => void
}

/** The embedding and the head, whose inputs are the final hidden states; a tied table is both. */
async function measureTables(task: MeasureTask, work: TableWork, context: Context): Promise<void> {
  const { layers, runner, windows } = task
  const tables = layers.filter((layer) => layer.block === null)
  const tied = !tables.some((layer) => layer.name === 'head')
  const head = tables.length > 0 && windows.length > 0 ? emptyStatistics(runner.hidden) : null
  for (let window = 0; head !== null && window < windows.length; window++) {
    await addGuided(head, await runner.finish(await work.clean.get(window)), task.guidance?.roots('head', window))
  }
  for (const layer of tables) {
    const looksUp = layer.name === 'embedding'
    const multiplies = layer.name === 'head' || tied
    const probe: TakeProbe = async (option, { bytes, dense: quantized }) => {
      const hidden = work.park(work.probeWindows)
      const stream = { layer: layer.name, option, hidden }
      for (let window = 0; window < work.probeWindows; window++) {
        await hidden.set(window, looksUp ? await runner.embed(windows[window] ?? new Int32Array(), quantized) : await work.clean.get(window))
      }
      for (let block = 0; looksUp && block < runner.blocks; block++) {
        const weights = await runner.weights(block)
        await advanceStreams([stream], work.probeWindows, runner, block, weights, context.signal)
        await kernels().release(Object.values(weights))
      }
      work.streams.push(stream)
      if (multiplies) work.heads.set(stream, () => decoded(option, layer, bytes))
    }
    const weights = await task.readWeight(layer.name)
    const statistics = await tableStatistics(tied ? 'tied' : multiplies ? 'head' : 'embedding', head, task.guidance)
    const subject = { layer, weights, inputs: statistics && roundingStatistics(statistics), corrections: null, rowUse: looksUp ? rowUseOf(windows, layer.shape[0]) : null, scale: task.scales?.get(layer.name) ?? null }
    await work.finish(await measureLayer(task, subject, probe, work.advance, context))
    await kernels().release([weights])
    await subject.inputs?.release()
  }
}
