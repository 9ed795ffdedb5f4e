/** @file Carries out a recipe of an ONNX graph in a job folder: quantize, export, open the exported file in stock ONNX Runtime, compare. */
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { CompressReport, Evaluation } from '../../contract/report.ts'
import { provenanceOf, type Exported } from '../export/exporter.ts'
import { stampMeasured } from '../export/measured.ts'
import { folderLicense, metadataLicense, modelCard } from '../export/model-card.ts'
import { writeWeightsFile } from '../export/onnx-weights-file.ts'
import { makeFolder, writeWhole } from '../job/files.ts'
import { openJob, type Job } from '../job/job.ts'
import { observe } from '../job/monitor.ts'
import { beginStage } from '../job/progress.ts'
import { runRounders } from '../quantize/rounders/rounders.ts'
import type { RunInput } from '../run.ts'
import { openGraphData, openHeldOut, type GraphData } from './data.ts'
import { classNumbers, compareGraphs } from './evaluate.ts'
import { checkLayers, openGraphModel, type GraphModel } from './open.ts'
import { quantizeGraphLayers } from './quantize-graph.ts'

/** Length of token samples where nothing says it. */
export const defaultLength = 512

/** What is calibrated on, and what the result is judged on: the samples of `text` where that is given. */
export async function dataOf(model: GraphModel, input: Pick<RunInput, 'recipe' | 'text'>, context: Context): Promise<GraphData> {
  const { recipe: { data, graph = {}, seed }, text } = input
  const calibrated = await calibrationOf(model, input, context)
  return text === undefined ? calibrated : { ...calibrated, heldOut: await openHeldOut(model, text, { ...graph, samples: Infinity, length: data?.length ?? defaultLength, seed }, context) }
}

async function calibrationOf(model: GraphModel, { recipe }: Pick<RunInput, 'recipe'>, context: Context): Promise<GraphData> {
  const { data, graph = {}, seed } = recipe
  if (data === null) return { sha256: '', calibration: [], heldOut: [], notes: [] }
  const found = await openGraphData(model, data.path, { ...graph, samples: data.samples, length: data.length, seed }, context)
  if (found.sha256 !== data.sha256) throw new AppError('bad-recipe', `${data.path}: the calibration data has changed since the recipe was made`, { hint: 'Measure and plan again with this data.' })
  return found
}

/** Quantizes what the job's recipe says, writes the graph below `out` and compares it with the original. */
export async function carryOut(job: Job, model: GraphModel, { calibration, heldOut }: GraphData, out: string): Promise<{ readonly exported: Exported; readonly evaluation: Evaluation }> {
  const { recipe, context } = job
  await quantizeGraphLayers({ job, model, samples: calibration, choice: recipe.choice, rounder: runRounders[recipe.rounder] })
  await makeFolder(out)
  const progress = beginStage(context, 'export', 1)
  const exported = await writeWeightsFile({ model, choice: recipe.choice, provenance: provenanceOf(recipe) }, (layer) => job.readTensor(layer), out, context.signal)
  progress.advance(exported.path)
  const outputs = await compareGraphs(model, exported.path, heldOut, context)
  const { sizeBytes } = exported
  return { exported, evaluation: { sizeBytes, bitsPerWeight: (sizeBytes * 8) / model.elements, tokens: 0, ...classNumbers(outputs), outputs, samples: heldOut.length } }
}

/** Refuses to write over the model: the result has its name. */
export function checkOutput(model: string, out: string): void {
  if (path.resolve(out) === path.dirname(path.resolve(model))) throw new AppError('file-exists', `${out}: is the model's own folder; the result has the model's name`, { hint: 'Choose another folder with --out.' })
}

/** Runs a recipe of a graph to the end; the report is also written to `report.json` beside the result. */
export async function runGraph(input: RunInput, outer: Context): Promise<CompressReport> {
  const { recipe, out } = input
  const stop = observe()
  const model = await openGraphModel(recipe.model.path)
  checkLayers(model)
  const sha256 = await model.sha256(outer.signal)
  if (sha256 !== recipe.model.sha256) throw new AppError('bad-recipe', `${model.path}: the model has changed since the recipe was made (sha256 ${sha256.slice(0, 12)}…, expected ${recipe.model.sha256.slice(0, 12)}…)`, { hint: 'Measure and plan again for this model.' })
  checkOutput(model.path, out)
  const data = await dataOf(model, input, outer)
  const job = await openJob(input.folder, recipe, input.resume ?? false, outer)
  const { context } = job
  for (const text of data.notes) context.report({ type: 'log', level: 'warning', text })
  const { exported: written, evaluation } = await carryOut(job, model, data, out)
  const exported = data.heldOut.length > 0 ? await stampMeasured(written, '', evaluation, context.signal) : written
  const { predicted } = recipe
  const report: CompressReport = {
    ...evaluation, output: exported.path, target: recipe.target, sha256: exported.sha256,
    ...stop(),
    predicted: { sizeBytes: predicted.sizeBytes, peakMemoryBytes: predicted.peakMemoryBytes, elapsedMs: predicted.elapsedMs, loss: predicted.loss },
    layers: recipe.choice,
    warnings: [...data.notes],
  }
  await writeWhole(path.join(out, 'recipe.json'), `${JSON.stringify(recipe, null, 2)}\n`)
  await writeWhole(path.join(out, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  const license = metadataLicense(model.graph.metadata.license) ?? await folderLicense(path.dirname(path.resolve(model.path)))
  await writeWhole(path.join(out, 'README.md'), modelCard(recipe, report, license))
  context.report({ type: 'done', report })
  await job.flush()
  return report
}
