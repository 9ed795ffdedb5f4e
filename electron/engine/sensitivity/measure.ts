/**
 * @file From a model and a text to sensitivity.json: written as it grows, continued where it was stopped, reused where the hashes
 * of model and data match.
 */
import path from 'node:path'
import { MeasureInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import { targets } from '../../contract/options.ts'
import { Sensitivity, type MeasuredLayer } from '../../contract/sensitivity.ts'
import { beginStage } from '../job/progress.ts'
import { makeFolder, readIfThere, writeWhole } from '../job/files.ts'
import { openCalibration, type Calibration } from '../calibrate/calibration.ts'
import { adapterBytes } from '../correct/adapter-storage.ts'
import { correctionOf } from '../correct/corrections.ts'
import { isGuided, rounders } from '../quantize/rounders/rounders.ts'
import { openDecoder } from '../session/model.ts'
import { createParking } from '../session/parking.ts'
import { openProgram } from '../session/program.ts'
import { tool } from '../tool.ts'
import { describeLayer, measureDecoder } from './measure-decoder.ts'
import { differentiableDecoder } from './differentiable-decoder.ts'
import { errorLosses, lossesOf, type LayerLosses } from './error-losses.ts'
import { drawSpectrum } from './hessian/draw-spectrum.ts'
import { activationTraces } from './hessian/activation-trace.ts'
import { keptErrors } from './kept-errors.ts'
import { guide } from './guide.ts'
import { layerScales } from './layer-scales.ts'
import { addPairs } from './pairs/add-pairs.ts'
import { decoderPairs } from './pairs/decoder-pairs.ts'
import { measurePairs } from './pairs/measure-pairs.ts'
import { openValueParks, parkedBytes } from './value-parks.ts'
import { openWorkFolder } from './work-folder.ts'
import { targetOptions } from '../budget/option-bytes.ts'
import { measuredOptions } from './measured-options.ts'
import type { LayerScale } from './metrics/metric.ts'
import { isMetric, metricNames, metrics, type Metric } from './metrics/metrics.ts'
import { defaultRanks, rankedOptions, type RankedMeasure } from './ranked-options.ts'

/** Windows on which divergences are measured; 2,048 tokens give a standard error of a few per cent. */
const probeWindows = 4
/** Draws of the traces of activations, which only describe the model. */
const activationProbes = 8

/** The map saved in `file`, if it is of the same model, data, metric and rounder. */
export async function savedMap(file: string, wanted: Pick<Sensitivity, 'model' | 'data' | 'metric' | 'loss' | 'rounder' | 'correction'>): Promise<Sensitivity | null> {
  const data = await readIfThere(file)
  if (!data) return null
  let parsed: ReturnType<typeof Sensitivity.safeParse> | undefined
  try {
    parsed = Sensitivity.safeParse(JSON.parse(Buffer.from(data).toString('utf8')))
  } catch {
    parsed = undefined // not JSON: the same answer as JSON of another shape
  }
  if (!parsed?.success) throw new AppError('file-exists', `${file}: is there and is not a sensitivity map`, { hint: 'Choose another name with --out.' })
  const { model, data: text, metric, loss, rounder, correction } = parsed.data
  const same = model.sha256 === wanted.model.sha256 && text.sha256 === wanted.data.sha256 && metric === wanted.metric && loss === wanted.loss && rounder === wanted.rounder && (wanted.correction === undefined || correction === wanted.correction)
  return same ? parsed.data : null
}

/** What stands in for calibration where there is no data. */
const noText: Pick<Calibration, 'windows' | 'sha256' | 'warnings'> = { windows: [], sha256: '', warnings: [] }

/** Refuses to go without data (`wanted` names it) what needs some. @throws AppError bad-request */
export function checkDataFree(metric: string, rounder: string, wanted: string): void {
  if (metric === 'sqnr' && (rounder === 'nearest' || rounder === 'search')) return
  throw new AppError('bad-request', `--metric ${metric} --rounder ${rounder}: without data only the metric sqnr with the rounders nearest and search can be used`, { hint: `Give ${wanted} with --data, or use --metric sqnr --rounder search.` })
}

/**
 * Measures a decoder. A finished map of the same model, data, metric and rounder in `input.out` is returned as it is; an
 * unfinished one is continued.
 */
export async function measure(input: MeasureInput, context: Context): Promise<Sensitivity> {
  const { model: source, data, metric: name, rounder, target, options, correction, ranks = defaultRanks, samples, length, loss, pairs, spectrum, seed, memoryBytes, out, ...rest } = MeasureInput.parse(input)
  if (!isMetric(name)) throw new AppError('bad-request', `--metric ${name}: no such metric`, { hint: `Choose one of ${metricNames.join(', ')}.` })
  const metric: Metric = metrics[name]
  if (data === undefined) checkDataFree(name, rounder, 'calibration text')
  const model = await openDecoder(source, context)
  try {
    const { windows, sha256, warnings } = data === undefined ? noText : await openCalibration(model, data, { samples, length, seed }, context)
    for (const text of warnings) context.report({ type: 'log', level: 'warning', text })
    beginStage(context, 'open', 1).advance(source)
    const fit = correctionOf(correction)
    const ranked: RankedMeasure | undefined = fit === null ? undefined : { correction: fit, ranks, bytes: ({ shape }, rank) => adapterBytes('gguf', 'float16', rank, shape) }
    if (ranked && metric.local === null) throw new AppError('bad-request', `--metric ${name}: found --correct ${correction}, expected none: gradients are put against rounded weights alone`, { hint: 'Measure corrections with kl-scaled, layer-output or fisher-output.' })
    const probes = rest.probes ?? windows.length
    const parked = openValueParks(parkedBytes(model.spec, length), memoryBytes, `${out}.parked`)
    const differentiable = differentiableDecoder(model, windows, { loss, seed, park: parked.open })
    const takesDerivatives = metric.scales !== null || metric.term !== null
    const head = {
      version: 1 as const,
      tool,
      model: { path: source, sha256: await model.checkpoint.sha256(context.signal) },
      data: data === undefined ? { path: '', sha256, seed } : { path: data, sha256, tokens: windows.reduce((sum, window) => sum + window.length, 0), samples: windows.length, seed },
      metric: name,
      ...(takesDerivatives && { loss: differentiable.lossText }),
      rounder,
      ...(ranked && { correction }),
    }
    if (takesDerivatives) context.report({ type: 'log', level: 'info', text: `differentiated: ${differentiable.lossText}` })
    const saved = await savedMap(out, head)
    const chosen = target === undefined ? targets : [target]
    const unknown = options?.find((option) => !chosen.some((one) => targetOptions[one].some((known) => known === option)))
    if (unknown !== undefined) throw new AppError('bad-request', `--options ${unknown}: no option of ${chosen.join(', ')}`, { hint: `Choose among ${[...new Set(chosen.flatMap((one) => targetOptions[one]))].join(', ')}.` })
    const optionsOf = (layer: (typeof model.layers)[number]): ReturnType<typeof measuredOptions> => measuredOptions(chosen, layer, options)
    const covered = (layers: readonly MeasuredLayer[]): boolean =>
      model.layers.every((layer) => optionsOf(layer).options.flatMap((option) => [option, ...(ranked ? rankedOptions(ranked, layer, option) : [])]).every((option) => layers.some((done) => done.name === layer.name && done.options[option.name] !== undefined)))
    if (saved?.complete && covered(saved.layers) && (saved.pairs?.length ?? 0) >= pairs && spectrum === undefined) {
      context.report({ type: 'log', level: 'info', text: `${out}: measured before with the same model and data; reused` })
      return saved
    }
    const work = takesDerivatives ? await openWorkFolder(`${out}.work`, [head, probes, loss]) : undefined
    const known = new Map(metric.term !== null
      ? model.layers.map((layer) => [layer.name, Object.fromEntries(optionsOf(layer).options.filter((option) => work?.hasOption(layer.name, option.name)).map((option) => [option.name, 0]))] as const)
      : saved && !saved.complete ? saved.layers.map((layer) => [layer.name, Object.fromEntries(Object.entries(layer.options).map(([option, { value }]) => [option, value]))] as const) : [])
    const program = openProgram(model, { signal: context.signal })
    const parking = createParking({ slotBytes: length * model.spec.hidden * 4, memoryBytes })
    const save = (layers: readonly MeasuredLayer[], complete: boolean, more: Partial<Sensitivity> = {}): Promise<void> =>
      makeFolder(path.dirname(out)).then(() => writeWhole(out, `${JSON.stringify({ ...head, complete, ...more, layers })}\n`))
    /** All layers: those that are not measured yet as an earlier measurement has them, or without options, for a plan to estimate. */
    const withOthers = (done: readonly MeasuredLayer[]): readonly MeasuredLayer[] => model.layers.map((layer) =>
      [...done, ...(known.has(layer.name) ? saved?.layers ?? [] : [])].find(({ name: one }) => one === layer.name) ?? describeLayer(layer, [], optionsOf(layer).excluded, () => ({ value: 0, stderr: 0 })))
    try {
      const resumable = { known: work?.draws, save: work?.saveDraws }
      const scales = metric.scales === null ? undefined : await layerScales[metric.scales](differentiable, { probes, seed }, context, resumable)
      const guidance = isGuided(rounder) && windows.length > 0 ? await guide(model, windows, { seed, memoryBytes, folder: `${out}.guide` }, context) : undefined
      const measured = await measureDecoder({
        layers: model.layers, runner: program, windows, probeWindows, optionsOf, ranked, metric, scales, keep: metric.term === null ? undefined : work, rounder: rounders[rounder], guidance,
        readWeight: model.readWeight, park: (count) => parking.open(count), known, save: (partial) => (metric.term === null ? save(withOthers(partial), false) : Promise.resolve()),
      }, context)
      let layers: readonly MeasuredLayer[] = measured.map((layer) => ({ ...layer, ...curvatureOf(metric, scales?.get(layer.name)) }))
      if (metric.term !== null && work) {
        const errors = keptErrors(model.layers, (layer) => optionsOf(layer).options.map((option) => option.name), work, model.readWeight)
        const described = (losses: LayerLosses): MeasuredLayer[] => model.layers.map((layer) => {
          const { options: own, excluded } = optionsOf(layer)
          return describeLayer(layer, own, excluded, (option) => losses.get(layer.name)?.[option] ?? { value: 0, stderr: 0 })
        })
        const losses = await errorLosses(differentiable, metric.term, errors, context, {
          known: work.draws,
          save: (draws) => work.saveDraws(draws).then(() => save(described(lossesOf(draws, errors)), false)),
        })
        layers = described(losses)
        for (const layer of layers) for (const [option, cost] of Object.entries(layer.options)) context.report({ type: 'cell', layer: layer.name, option, ...cost })
      }
      const more: Partial<Sensitivity> = {
        ...(metric.scales === 'trace' && { activations: [...(await activationTraces(differentiable, { probes: Math.min(probes, activationProbes), seed }, context))] }),
      }
      if (pairs > 0) {
        const found = await measurePairs({ layers, count: pairs, ...(await decoderPairs(model, program, windows.slice(0, probeWindows), context)) }, context)
        layers = addPairs(layers, found)
        more.pairs = [...found]
      }
      if (spectrum !== undefined) await drawSpectrum(differentiable, spectrum, { seed }, context)
      await save(layers, true, more)
      await work?.remove()
      return { ...head, complete: true, ...more, layers: [...layers] }
    } finally {
      program.dispose()
      await parked.dispose()
    }
  } finally {
    await model.close()
  }
}

/** What a layer's derivatives said, as the map holds it. */
function curvatureOf({ scales }: Metric, scale: LayerScale | undefined): Pick<MeasuredLayer, 'trace' | 'topEigenvalue'> {
  if (scale?.curvature === undefined) return {}
  return scales === 'trace' ? { trace: scale.curvature } : { topEigenvalue: scale.curvature.value }
}
