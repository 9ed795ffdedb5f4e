/** @file From an ONNX graph and samples to sensitivity.json: written as it grows, continued where it was stopped, reused where hashes match. */
import path from 'node:path'
import { MeasureInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import { MeasuredLayer, type Sensitivity } from '../../contract/sensitivity.ts'
import { listed } from '../budget/warnings.ts'
import { makeFolder, writeWhole } from '../job/files.ts'
import { beginStage } from '../job/progress.ts'
import { isGuided, rounders } from '../quantize/rounders/rounders.ts'
import { checkDataFree, savedMap } from '../sensitivity/measure.ts'
import { errorLosses, lossesOf, type LayerLosses } from '../sensitivity/error-losses.ts'
import type { OptionLoss } from '../sensitivity/differentiable.ts'
import { layerScales } from '../sensitivity/layer-scales.ts'
import { drawSpectrum } from '../sensitivity/hessian/draw-spectrum.ts'
import { addPairs } from '../sensitivity/pairs/add-pairs.ts'
import { measurePairs } from '../sensitivity/pairs/measure-pairs.ts'
import { openWorkFolder, type WorkFolder } from '../sensitivity/work-folder.ts'
import { isMetric, metricNames, metrics, type Metric } from '../sensitivity/metrics/metrics.ts'
import { tool } from '../tool.ts'
import { classOutputs, quotedOutputs } from './classes.ts'
import { openGraphData, type GraphData } from './data.ts'
import type { GraphLayer } from './layers.ts'
import { differentiableGraph } from './differentiable-graph.ts'
import { graphErrors } from './graph-errors.ts'
import { graphPairs } from './graph-pairs.ts'
import { bytesOf, describeGraphLayer, measureGraph } from './measure-graph.ts'
import { checkLayers, openGraphModel, type GraphModel } from './open.ts'
import { graphOptionBytes, graphOptions, wantedOptions } from './storage.ts'

/** Of a measurement of the weights alone. */
const noData: GraphData = { sha256: '', calibration: [], heldOut: [], notes: [] }

const noLoss: OptionLoss = { value: 0, stderr: 0 }

/** Samples on which divergences are measured. */
const probeSamples = 8

/** Options measured for a layer, and why it cannot take others. `only` names other ones to measure. */
export function optionsOf(layer: GraphLayer, only: readonly string[] | undefined): { readonly options: readonly string[]; readonly excluded: Readonly<Record<string, string>> } {
  const options: string[] = []
  const excluded: Record<string, string> = {}
  for (const name of only === undefined ? wantedOptions(layer) : graphOptions.filter((option) => only.includes(option))) {
    const size = graphOptionBytes(layer, name)
    if ('bytes' in size) options.push(name)
    else excluded[name] = size.reason
  }
  return { options, excluded }
}

/** Says what a measured divergence is for this model. */
export function divergenceText({ graph }: GraphModel): string {
  const classes = classOutputs(graph)
  return classes.length > 0
    ? `divergence: KL of the classes of ${quotedOutputs(classes.map(({ output }) => output))}`
    : `divergence: squared error of ${quotedOutputs(graph.outputs.map(({ name }) => name))} over its squared size (no output holds classes)`
}

function checkOptions(options: readonly string[] | undefined): void {
  const unknown = options?.find((name) => !graphOptions.some((option) => option === name))
  if (unknown !== undefined) throw new AppError('bad-request', `--options ${unknown}: no option of ONNX graphs`, { hint: `Choose among ${graphOptions.join(', ')}.` })
}

/** Measures a graph. A finished map of the same model, data, metric and rounder in `input.out` is returned as it is; an unfinished one is continued. */
export async function measureGraphFile(input: MeasureInput, context: Context): Promise<Sensitivity> {
  const { model: source, data, metric: name, rounder, target, options, correction, samples, length, seed, graph: settings = {}, pairs, spectrum, probes, out } = MeasureInput.parse(input)
  if (!isMetric(name)) throw new AppError('bad-request', `--metric ${name}: no such metric`, { hint: `Choose one of ${metricNames.join(', ')}.` })
  const metric: Metric = metrics[name]
  if (isGuided(rounder)) throw new AppError('bad-request', `--rounder ${rounder}: weighing tokens is for language models`, { hint: 'Leave --rounder out, or use gptq.' })
  if (data === undefined) checkDataFree(name, rounder, 'samples of the model’s inputs')
  if (data === undefined && (pairs > 0 || spectrum !== undefined)) throw new AppError('bad-request', '--pairs, --spectrum: found no data, expected samples of the model’s inputs', { hint: 'Give them with --data.' })
  if (target !== undefined && target !== 'onnx') throw new AppError('bad-request', `--target ${target}: an ONNX graph is written as an ONNX graph`, { hint: 'Leave --target out, or give onnx.' })
  if (correction !== 'none') throw new AppError('bad-request', `--correct ${correction}: low-rank corrections are for language models`, { hint: 'Leave --correct out.' })
  checkOptions(options)
  const model = await openGraphModel(source)
  checkLayers(model)
  const chosen = data === undefined ? noData : await openGraphData(model, data, { ...settings, samples, length, seed }, context)
  for (const text of chosen.notes) context.report({ type: 'log', level: 'warning', text })
  if (metric.probes([1]).length > 0) context.report({ type: 'log', level: 'info', text: divergenceText(model) })
  beginStage(context, 'open', 1).advance(source)
  const count = chosen.calibration.length
  const takesDerivatives = metric.scales !== null || metric.term !== null
  const differentiable = takesDerivatives || spectrum !== undefined ? await differentiableGraph(model, chosen.calibration, { loss: settings.loss, seed, signal: context.signal }) : null
  if (differentiable !== null) context.report({ type: 'log', level: 'info', text: `differentiated: ${differentiable.lossText}` })
  if (takesDerivatives && differentiable !== null && differentiable.unmoved.length > 0) context.report({ type: 'log', level: 'warning', text: `the loss does not depend on ${differentiable.unmoved.join(', ')}: nothing is known of what they lose; measure with kl or layer-output if they matter` })
  const head = {
    version: 1 as const, tool, model: { path: source, sha256: await model.sha256(context.signal) },
    data: data === undefined ? { path: '', sha256: '', seed } : { path: data, sha256: chosen.sha256, tokens: count * (/\.(jsonl|ndjson)$/i.test(data) ? length : 1), samples: count, seed },
    metric: name, ...(differentiable !== null && takesDerivatives && { loss: differentiable.lossText }), rounder, ...(input.graph !== undefined && { graph: settings }),
  }
  const found = await savedMap(out, head)
  const saved = found !== null && JSON.stringify(found.graph ?? {}) === JSON.stringify(settings) ? found : null
  function isCovered(layer: GraphLayer, done: MeasuredLayer | undefined): boolean {
    const { options: own } = optionsOf(layer, options)
    // In an unfinished map a layer that takes nothing looks like one that is not measured yet.
    return done !== undefined && (own.length > 0 || saved?.complete === true) && own.every((name) => Object.hasOwn(done.options, name))
  }
  const known = new Map(model.layers.flatMap((layer) => {
    const done = saved?.layers.find(({ name }) => name === layer.name)
    const isRaised = saved?.pairs !== undefined && saved.pairs.length < pairs // by the pairs of then: it would be raised twice
    return isCovered(layer, done) && done !== undefined && !isRaised ? [[layer.name, done] as const] : []
  }))
  if (saved?.complete === true && known.size === model.layers.length && (saved.pairs?.length ?? 0) >= pairs && spectrum === undefined) {
    context.report({ type: 'log', level: 'info', text: `${out}: measured before with the same model and data; reused` })
    return saved
  }
  const save = (layers: readonly MeasuredLayer[], complete: boolean, more: Partial<Sensitivity> = {}): Promise<void> =>
    makeFolder(path.dirname(out)).then(() => writeWhole(out, `${JSON.stringify({ ...head, complete, ...more, layers: layers.map((layer) => MeasuredLayer.parse(layer)) })}\n`)) // in one order of keys, whether just measured or read again
  const work = differentiable === null || !takesDerivatives ? null : await openWorkFolder(`${out}.work`, [head, probes])
  /** A layer with those of its options that have a loss. */
  function described(layer: GraphLayer, lossOf: (option: string) => OptionLoss | undefined): MeasuredLayer {
    const { options: own, excluded } = optionsOf(layer, options)
    return describeGraphLayer(layer, excluded, Object.fromEntries(own.flatMap((option) => {
      const loss = lossOf(option)
      return loss === undefined ? [] : [[option, { bytes: bytesOf(layer, option), ...loss }]]
    })))
  }
  /** All layers, those that are not measured yet without options: a plan estimates them. */
  const withUnmeasured = (done: readonly MeasuredLayer[]): readonly MeasuredLayer[] => model.layers.map((layer) => done.find(({ name }) => name === layer.name) ?? described(layer, () => undefined))
  /** Layers whose rounded options an earlier measurement kept; their losses are still to come. */
  const keptLayers = (kept: WorkFolder): Map<string, MeasuredLayer> =>
    new Map(model.layers.filter((layer) => optionsOf(layer, options).options.every((option) => kept.hasOption(layer.name, option))).map((layer) => [layer.name, described(layer, () => noLoss)]))
  const scales = differentiable === null || metric.scales === null ? null
    : await layerScales[metric.scales](differentiable, { probes: probes ?? count, seed }, context, { known: work?.draws, save: work?.saveDraws })
  const measured = await measureGraph({
    model, samples: chosen.calibration, probeSamples, optionsOf: (layer) => optionsOf(layer, options), metric, scales, keep: metric.term === null ? null : work, rounder: rounders[rounder],
    known: metric.term === null || work === null ? known : keptLayers(work), save: (partial) => (metric.term === null ? save(withUnmeasured(partial), false) : Promise.resolve()),
  }, context)
  const idle = metric.probes([1]).length === 0 ? [] : measured.filter(({ options: own }) => Object.keys(own).length > 0 && Object.values(own).every(({ value }) => value === 0))
  if (idle.length > 0) context.report({ type: 'log', level: 'warning', text: `over these samples no output depends on ${listed(idle.map((layer) => layer.name))}: nothing is known of what they lose, and they get the fewest bits; give samples that reach them, or fix them with --pin` })
  let layers: readonly MeasuredLayer[] = measured
  if (differentiable !== null && metric.term !== null && work !== null) {
    const errors = graphErrors(model, (layer) => optionsOf(layer, options).options, work)
    const describedAll = (losses: LayerLosses): MeasuredLayer[] => model.layers.map((layer) => described(layer, (option) => losses.get(layer.name)?.[option] ?? noLoss))
    layers = describedAll(await errorLosses(differentiable, metric.term, errors, context, {
      known: work.draws,
      save: (draws) => work.saveDraws(draws).then(() => save(describedAll(lossesOf(draws, errors)), false)),
    }))
    for (const layer of layers) for (const [option, cost] of Object.entries(layer.options)) context.report({ type: 'cell', layer: layer.name, option, ...cost })
  }
  const more: Partial<Sensitivity> = {}
  if (pairs > 0) {
    const measuredPairs = await measurePairs({ layers, count: pairs, ...(await graphPairs(model, chosen.calibration.slice(0, probeSamples), context)) }, context)
    layers = addPairs(layers, measuredPairs)
    more.pairs = [...measuredPairs]
  }
  if (differentiable !== null && spectrum !== undefined) await drawSpectrum(differentiable, spectrum, { seed }, context)
  await save(layers, true, more)
  await work?.remove()
  return { ...head, complete: true, ...more, layers: [...layers] }
}
