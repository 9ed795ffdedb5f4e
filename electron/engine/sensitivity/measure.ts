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
import { openCalibration } from '../calibrate/calibration.ts'
import { adapterBytes } from '../correct/adapter-storage.ts'
import { correctionOf } from '../correct/corrections.ts'
import { rounders } from '../quantize/rounders/rounders.ts'
import { openDecoder } from '../session/model.ts'
import { createParking } from '../session/parking.ts'
import { openProgram } from '../session/program.ts'
import { tool } from '../tool.ts'
import { measureDecoder } from './measure-decoder.ts'
import { targetOptions } from '../budget/option-bytes.ts'
import { measuredOptions } from './measured-options.ts'
import { isMetric, metricNames, metrics } from './metrics/metrics.ts'
import { defaultRanks, rankedOptions, type RankedMeasure } from './ranked-options.ts'

/** Windows on which divergences are measured; 2,048 tokens give a standard error of a few per cent. */
const probeWindows = 4

/** The map saved in `file`, if it is of the same model, data, metric and rounder. */
async function savedMap(file: string, wanted: Pick<Sensitivity, 'model' | 'data' | 'metric' | 'rounder' | 'correction'>): Promise<Sensitivity | null> {
  const data = await readIfThere(file)
  if (!data) return null
  let parsed: ReturnType<typeof Sensitivity.safeParse> | undefined
  try {
    parsed = Sensitivity.safeParse(JSON.parse(Buffer.from(data).toString('utf8')))
  } catch {
    parsed = undefined // not JSON: the same answer as JSON of another shape
  }
  if (!parsed?.success) throw new AppError('file-exists', `${file}: is there and is not a sensitivity map`, { hint: 'Choose another name with --out.' })
  const { model, data: text, metric, rounder, correction } = parsed.data
  const same = model.sha256 === wanted.model.sha256 && text.sha256 === wanted.data.sha256 && metric === wanted.metric && rounder === wanted.rounder && (wanted.correction === undefined || correction === wanted.correction)
  return same ? parsed.data : null
}

/**
 * Measures a decoder. A finished map of the same model, data, metric and rounder in `input.out` is returned as it is; an
 * unfinished one is continued.
 */
export async function measure(input: MeasureInput, context: Context): Promise<Sensitivity> {
  const { model: source, data, metric, rounder, target, options, correction, ranks = defaultRanks, samples, length, seed, memoryBytes, out } = MeasureInput.parse(input)
  if (!isMetric(metric)) throw new AppError('bad-request', `--metric ${metric}: no such metric`, { hint: `Choose one of ${metricNames.join(', ')}.` })
  const model = await openDecoder(source, context)
  try {
    const { windows, sha256, warnings } = await openCalibration(model, data, { samples, length, seed }, context)
    for (const text of warnings) context.report({ type: 'log', level: 'warning', text })
    beginStage(context, 'open', 1).advance(source)
    const fit = correctionOf(correction)
    const ranked: RankedMeasure | undefined = fit === null ? undefined : { correction: fit, ranks, bytes: ({ shape }, rank) => adapterBytes('gguf', 'float16', rank, shape) }
    const head = {
      version: 1 as const,
      tool,
      model: { path: source, sha256: await model.checkpoint.sha256(context.signal) },
      data: { path: data, sha256, tokens: windows.reduce((sum, window) => sum + window.length, 0), samples: windows.length, seed },
      metric,
      rounder,
      ...(ranked && { correction }),
    }
    const saved = await savedMap(out, head)
    const chosen = target === undefined ? targets : [target]
    const unknown = options?.find((name) => !chosen.some((one) => targetOptions[one].some((option) => option === name)))
    if (unknown !== undefined) throw new AppError('bad-request', `--options ${unknown}: no option of ${chosen.join(', ')}`, { hint: `Choose among ${[...new Set(chosen.flatMap((one) => targetOptions[one]))].join(', ')}.` })
    const optionsOf = (layer: (typeof model.layers)[number]): ReturnType<typeof measuredOptions> => measuredOptions(chosen, layer, options)
    const covered = (layers: readonly MeasuredLayer[]): boolean =>
      model.layers.every((layer) => optionsOf(layer).options.flatMap((option) => [option, ...(ranked ? rankedOptions(ranked, layer, option) : [])]).every(({ name }) => layers.some((done) => done.name === layer.name && done.options[name] !== undefined)))
    if (saved?.complete && covered(saved.layers)) {
      context.report({ type: 'log', level: 'info', text: `${out}: measured before with the same model and data; reused` })
      return saved
    }
    const known = new Map(saved && !saved.complete ? saved.layers.map((layer) => [layer.name, Object.fromEntries(Object.entries(layer.options).map(([name, { value }]) => [name, value]))]) : [])
    const program = openProgram(model, { signal: context.signal })
    const parking = createParking({ slotBytes: length * model.spec.hidden * 4, memoryBytes })
    const save = (layers: readonly MeasuredLayer[], complete: boolean): Promise<void> =>
      makeFolder(path.dirname(out)).then(() => writeWhole(out, `${JSON.stringify({ ...head, complete, layers })}\n`))
    try {
      const layers = await measureDecoder({
        layers: model.layers, runner: program, windows, probeWindows, optionsOf, ranked, metric: metrics[metric], rounder: rounders[rounder],
        readWeight: model.readWeight, park: (count) => parking.open(count), known, save: (partial) => save(partial, false),
      }, context)
      await save(layers, true)
      return { ...head, complete: true, layers }
    } finally {
      program.dispose()
    }
  } finally {
    await model.close()
  }
}
