/**
 * @file Which metric predicts best: the predicted losses of random mixed configurations of the sample model against their measured
 * KL (EMQ's lesson: a proxy is only as good as its rank correlation), with the time each metric takes beside rounding, which is the same
 * for all; and what each metric's allocation gives at two sizes, against the uniform mix of the same size. Weights are rounded to
 * the nearest, once for all metrics. HALFTONE_BENCH_METRICS names some of the metrics only.
 */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { kernels } from '../../../kernels/kernels.ts'
import type { lossNames } from '../../contract/engine.ts'
import { silent } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import type { MeasuredLayer } from '../../contract/sensitivity.ts'
import type { Group } from '../budget/allocation.ts'
import { solveExact } from '../budget/exact.ts'
import { optionBytes } from '../budget/option-bytes.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { cutWindows } from '../evaluate/windows.ts'
import { openTokenizer } from '../io/tokenizer.ts'
import type { Layer } from '../model.ts'
import type { Rounder } from '../quantize/rounders/rounder.ts'
import { nearest } from '../quantize/rounders/nearest.ts'
import { openDecoder } from '../session/model.ts'
import { openPark } from '../session/park.ts'
import { openProgram } from '../session/program.ts'
import { differentiableDecoder } from './differentiable-decoder.ts'
import { errorLosses } from './error-losses.ts'
import { keptErrors } from './kept-errors.ts'
import { layerScales } from './layer-scales.ts'
import { describeLayer, measureDecoder, type LayerOption } from './measure-decoder.ts'
import { isMetric, metrics, type Metric } from './metrics/metrics.ts'
import { openReference } from './replaced-divergence.ts'
import { spearman } from './spearman.ts'
import type { WorkFolder } from './work-folder.ts'

const sample = path.resolve(import.meta.dirname, '../../../assets/sample-model')
const options: readonly CodecName[] = ['Q2_K', 'Q3_K', 'Q4_K', 'Q6_K']
const configurations = 32
const length = 128
const calibrationWindows = 12
const scoredWindows = 2
/** Bits per weight of the layers at which allocations are compared. */
const sizes = [2.8, 3.5] as const
/** Losses that the metrics of derivatives are measured with. */
const losses: readonly (typeof lossNames)[number][] = ['own-predictions', 'next-token']

async function windowsOf(file: string, windows: number): Promise<readonly Int32Array[]> {
  const tokenizer = await openTokenizer(sample)
  return cutWindows(await tokenizer.encode(await readFile(path.join(sample, file), 'utf8')), { length, windows }, file)
}

/** One row a metric and loss: Spearman's ρ over the configurations, seconds of wall and CPU time, and the KL of its allocations. */
export async function bench(): Promise<Record<string, unknown>[]> {
  const opened = await openDecoder(sample, silent)
  // Read once: half-precision weights are widened at every reading, which would be most of the time of short windows.
  const read = new Map<string, Promise<Float32Array>>()
  const readWeight = async (name: string): Promise<Float32Array> => {
    const known = read.get(name) ?? opened.readWeight(name)
    read.set(name, known)
    return (await known).slice() // who reads a weight may release it
  }
  const model = { ...opened, readWeight }
  const program = openProgram(model)
  const windows = await windowsOf('calibration.txt', calibrationWindows)
  const held = await windowsOf('validation.txt', scoredWindows)
  const kept = new Map<string, Uint8Array>()
  const work: Pick<WorkFolder, 'hasOption' | 'option' | 'saveOption'> = {
    hasOption: (layer, option) => kept.has(`${layer} ${option}`),
    option: (layer, option) => Promise.resolve(kept.get(`${layer} ${option}`) ?? new Uint8Array()),
    saveOption: (layer, option, bytes) => Promise.resolve(void kept.set(`${layer} ${option}`, bytes)),
  }
  const optionsOf = (layer: Layer): LayerOption[] => options.flatMap((option) => {
    const size = optionBytes('gguf', layer, option)
    return 'bytes' in size ? [{ name: option, bytes: size.bytes }] : []
  })

  const dense = new Map<string, Float32Array>()
  for (const layer of model.layers) {
    const [rows, cols] = layer.shape
    const own = await model.readWeight(layer.name)
    for (const { name } of optionsOf(layer)) {
      const bytes = await nearest(name, { rows, cols }, own, null)
      const out = new Float32Array(own.length)
      await kernels().decode(name, { rows, cols }, bytes, out)
      await work.saveOption(layer.name, name, bytes)
      dense.set(`${layer.name} ${name}`, out)
    }
  }
  const unused: Rounder = () => Promise.reject(new Error('every option is rounded beforehand'))

  const reference = await openReference(program, held, silent.signal)
  const divergence = async (choice: ReadonlyMap<string, string>): Promise<number> =>
    (await reference.divergence(new Map([...choice].map(([name, option]) => [name, dense.get(`${name} ${option}`) ?? new Float32Array()])), silent.signal)).value
  const random = createRandom(1)
  const choices = Array.from({ length: configurations }, () => new Map(model.layers.map((layer) => {
    const own = optionsOf(layer)
    return [layer.name, own[Math.floor(random() * own.length)]?.name ?? 'Q4_K']
  })))
  const measured: number[] = []
  for (const choice of choices) measured.push(await divergence(choice))
  process.stderr.write(`${configurations} configurations measured, KL ${Math.min(...measured)} to ${Math.max(...measured)}\n`)

  async function measure(metric: Metric, loss: (typeof losses)[number]): Promise<MeasuredLayer[]> {
    const differentiable = differentiableDecoder(model, metric.scales === 'top' ? windows.slice(0, 1).map((window) => window.subarray(0, 128)) : windows, { loss, seed: 1 })
    if (metric.term !== null) {
      const errors = keptErrors(model.layers, (layer) => optionsOf(layer).map(({ name }) => name), work, readWeight)
      const found = await errorLosses(differentiable, metric.term, errors, silent)
      return model.layers.map((layer) => describeLayer(layer, optionsOf(layer), {}, (option) => found.get(layer.name)?.[option] ?? { value: NaN, stderr: NaN }))
    }
    const scales = metric.scales === null ? undefined : await layerScales[metric.scales](differentiable, { probes: calibrationWindows, seed: 1 }, silent, {})
    return measureDecoder({
      layers: model.layers, runner: program, windows, probeWindows: 4, metric, scales, keep: work, rounder: unused, readWeight, known: new Map(), save: () => Promise.resolve(),
      optionsOf: (layer) => ({ excluded: {}, options: optionsOf(layer) }),
      park: (count) => openPark({ windows: count, slotBytes: length * model.spec.hidden * 4, memoryBytes: Infinity }),
    }, silent)
  }

  /** Choice of least loss at a size in bits per weight of all layers. */
  async function allocate(layers: readonly MeasuredLayer[], bits: number): Promise<ReadonlyMap<string, string>> {
    const groups: Group[] = layers.map((layer) => ({ name: layer.name, members: [layer.name], options: Object.entries(layer.options).map(([option, { bytes, value }]) => ({ option, cost: bytes, loss: value })) }))
    const solved = await solveExact(groups, (bits / 8) * layers.reduce((sum, { elements }) => sum + elements, 0))
    return new Map(groups.map((group, index) => [group.name, group.options[solved?.choice[index] ?? 0]?.option ?? '']))
  }

  /** The two options around a size, the larger one for layers spread evenly over the model until the bytes are used: no sensitivity at all. */
  function uniform(bits: number): ReadonlyMap<string, string> {
    const size = (option: CodecName): number => model.layers.reduce((sum, layer) => sum + (optionsOf(layer).find(({ name }) => name === option)?.bytes ?? 0), 0)
    const limit = (bits / 8) * model.layers.reduce((sum, { shape: [rows, cols] }) => sum + rows * cols, 0)
    const upper = options.findIndex((option) => size(option) > limit)
    const [low, high] = [options[Math.max(upper - 1, 0)] ?? 'Q2_K', options[upper] ?? 'Q6_K']
    const choice = new Map<string, string>(model.layers.map(({ name }) => [name, low]))
    let left = limit - size(low)
    const shuffled = model.layers.map((layer) => ({ layer, key: random() })).sort((a, b) => a.key - b.key)
    for (const { layer } of shuffled) {
      const own = optionsOf(layer)
      const more = (own.find(({ name }) => name === high)?.bytes ?? 0) - (own.find(({ name }) => name === low)?.bytes ?? 0)
      if (more > left) continue
      choice.set(layer.name, high)
      left -= more
    }
    return choice
  }

  const results: Record<string, unknown>[] = []
  const add = (row: Record<string, unknown>): void => {
    results.push(row)
    process.stderr.write(`${JSON.stringify(row)}\n`)
  }
  for (const bits of sizes) {
    const draws: number[] = []
    for (let draw = 0; draw < 4; draw++) draws.push(await divergence(uniform(bits)))
    add({ allocation: 'uniform mix, mean of 4', bits, kl: draws.reduce((sum, value) => sum + value, 0) / draws.length, least: Math.min(...draws) })
  }
  const wanted = process.env.HALFTONE_BENCH_METRICS?.split(',').filter(isMetric) ?? Object.keys(metrics).filter(isMetric)
  for (const name of wanted) {
    const metric: Metric = metrics[name]
    for (const loss of metric.term === null && metric.scales === null ? losses.slice(0, 1) : losses) {
      const [begun, cpu] = [performance.now(), process.cpuUsage()]
      const layers = await measure(metric, loss)
      const { user, system } = process.cpuUsage(cpu)
      const seconds = (performance.now() - begun) / 1000
      const predicted = choices.map((choice) => layers.reduce((sum, layer) => sum + (layer.options[choice.get(layer.name) ?? '']?.value ?? NaN), 0))
      const kl: Record<string, number> = {}
      for (const bits of sizes) kl[`kl at ${bits}`] = await divergence(await allocate(layers, bits))
      add({ metric: name, ...(metric.term !== null || metric.scales !== null ? { loss } : {}), spearman: spearman(predicted, measured), seconds, cpuSeconds: (user + system) / 1e6, configurations, ...kl })
    }
  }
  program.dispose()
  await opened.close()
  return results
}
