/** @file A plan for an ONNX graph: the same solver, with the sizes of stock operators' parts and of the exact file, and what a sample tells of the graph. */
import path from 'node:path'
import type { z } from 'zod'
import { PlanInput, type Plan } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { CodecName } from '../../contract/options.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import type { Milliseconds } from '../budget/constraints.ts'
import type { PlanDependencies } from '../budget/plan.ts'
import { provenanceOf, type Provenance } from '../export/exporter.ts'
import { weightsFileBytes } from '../export/onnx-weights-file.ts'
import { cacheFolder } from '../job/cache-folder.ts'
import { makeFolder } from '../job/files.ts'
import { planTried } from '../plan-tried.ts'
import { tool } from '../tool.ts'
import { rounderNamed } from '../quantize/rounders/rounders.ts'
import type { Workspace } from '../workspace.ts'
import { openHeldOut } from './data.ts'
import { graphLatencies } from './latency.ts'
import type { GraphLayer } from './layers.ts'
import { checkLayers, type GraphModel } from './open.ts'
import type { OpenedGraph } from './opened-graph.ts'
import { predictGraph } from './predict.ts'
import { codecOf } from './round.ts'
import { defaultLength } from './run.ts'
import { graphOptionBytes, graphOptions } from './storage.ts'
import { positionsOf, surveyGraph, type Survey } from './survey.ts'
import { openGraphTrials } from './trial.ts'

type Request = z.output<typeof PlanInput>

/** What a sample of the measured data, or of the held-out data, tells; null where there is neither any more. */
function surveyOf({ model, surveys }: OpenedGraph, { measured: { data, graph = {} }, text }: Request, context: Context): Promise<Survey | null> {
  const source = data.samples === undefined ? text : data.path
  if (source === undefined) return Promise.resolve(null)
  const key = JSON.stringify([source, data.sha256, graph])
  const known = surveys.get(key) ?? openHeldOut(model, source, { ...graph, samples: 1, length: lengthOf(data), seed: 0 }, context).then(([first]) => surveyGraph(model, first, context)).catch((cause: unknown) => {
    surveys.delete(key)
    if (cause instanceof AppError && cause.code === 'file-missing') return null // the data has gone: a run will say so
    throw cause
  })
  surveys.set(key, known)
  return known
}

const lengthOf = ({ samples = 0, tokens = 0 }: Request['measured']['data']): number => (samples > 0 ? Math.max(1, Math.round(tokens / samples)) : defaultLength)

/** Samples a run will judge by where they are not counted yet: those of `text`, or a part of the data. */
const usualHeldOut = 16

const noSamples = (name: string): AppError => new AppError('bad-request', `limit ${name}: found no samples, expected some to know the shapes of the activations`, { hint: 'Measure with --data, or give held-out samples with --text.' })

/** Times of every option that a plan may choose, from this machine's table. */
async function millisecondsOf({ model }: OpenedGraph, { measured }: Request, survey: Survey, context: Context): Promise<Milliseconds> {
  const measuredOf = new Map(measured.layers.map(({ name, options }) => [name, Object.keys(options)]))
  const optionsOf = (layer: GraphLayer): CodecName[] => graphOptions.filter((option) => (option === 'F16' || measuredOf.get(layer.name)?.includes(option) === true) && 'bytes' in graphOptionBytes(layer, option))
  const folder = cacheFolder()
  await makeFolder(folder)
  return graphLatencies(model, survey, { optionsOf, file: path.join(folder, 'graph-latencies.json') }, context)
}

/** Solves a plan for a graph; where a quality is asked for, the smallest that was seen to keep it. */
export async function planGraph(workspace: Workspace, input: z.input<typeof PlanInput>, context: Context): Promise<Plan> {
  const request = PlanInput.parse(input)
  return workspace.withGraph(request.model, async (opened) => {
    checkRequest(request, opened.model)
    return planTried(request, await dependenciesOf(workspace, opened, request, context), (recipe) => openGraphTrials(opened.model, recipe, request.text, context), context)
  })
}

/** Refuses what graphs do not have, and a map of another model. */
function checkRequest({ model: source, measured, target, learnedRounding }: Request, model: GraphModel): void {
  if (target !== 'onnx') throw new AppError('bad-request', `--target ${target}: an ONNX graph is written as an ONNX graph`, { hint: 'Leave --target out, or give onnx.' })
  if (learnedRounding !== undefined) throw new AppError('bad-request', `--rounder ${learnedRounding}: learned rounding is for language models`, { hint: 'Use gptq, search or nearest for an ONNX graph.' })
  checkLayers(model)
  const missing = model.layers.find(({ name }) => !measured.layers.some((layer) => layer.name === name))
  if (missing !== undefined || measured.layers.some(({ name }) => !model.layers.some((layer) => layer.name === name))) {
    throw new AppError('measurement-mismatch', `${source}: found other layers than in the sensitivity map${missing === undefined ? '' : ` (it lacks ${missing.name})`}; expected a map of this model`, { hint: 'Measure this model again.' })
  }
}

async function dependenciesOf(workspace: Workspace, opened: OpenedGraph, request: Request, context: Context): Promise<PlanDependencies> {
  const { model: source, measured, target, budget, pins, correction, limits } = request
  const { model } = opened
  const byName = new Map(model.layers.map((layer) => [layer.name, layer]))
  const { path: data, sha256, samples = 0, seed = 0 } = measured.data
  const provenance: Provenance = provenanceOf({
    tool, model: { path: source, sha256: measured.model.sha256 }, data: samples > 0 ? { path: data, sha256, samples, length: lengthOf(measured.data) } : null, target, budget, pins, metric: measured.metric,
    rounder: rounderNamed(measured.rounder), correction, seed,
  })
  const sizeOf = (choice: readonly LayerChoice[]): Promise<number> => weightsFileBytes({ model, choice, provenance })
  const survey = await surveyOf(opened, request, context)
  const predicted = predictGraph(model, { samples, heldOut: samples > 0 ? usualHeldOut : 0, rounder: provenance.rounder }, survey, await workspace.machine())
  const [limit] = Object.keys(limits)
  if (limit !== undefined && survey === null) throw noSamples(limit)
  const positions = new Map(survey === null ? [] : model.layers.map((layer) => [layer.name, positionsOf(layer, survey)]))
  return {
    tool,
    elements: model.elements,
    seed,
    positions: ({ name }) => positions.get(name) ?? 0,
    ...(limits.ms !== undefined && survey !== null && { milliseconds: await millisecondsOf(opened, request, survey, context) }),
    optionBytes(_target, layer, option) {
      const own = byName.get(layer.name)
      if (own === undefined) return { reason: 'is no layer of this model' }
      const bytes = opened.bytes.get(layer.name)?.get(codecOf(option))
      return bytes === undefined ? graphOptionBytes(own, option) : { bytes }
    },
    async fixedBytes() {
      const choice = model.layers.map(({ name }) => ({ name, option: 'F16', rank: 0, bytes: opened.bytes.get(name)?.get('F16') ?? 0, predictedLoss: 0 }))
      return (await sizeOf(choice)) - choice.reduce((sum, { bytes }) => sum + bytes, 0)
    },
    fileBytes: (_target, choice) => sizeOf(choice),
    predict: () => predicted,
  }
}
