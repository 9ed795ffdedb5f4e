/**
 * @file Quantizes the layers of a graph by a recipe, in order of computation: the inputs a layer is rounded for are those that the
 * layers before it give once they are rounded themselves. Layers finished by an earlier run are read, not made again.
 */
import { parseOption } from '../../contract/options.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import { beginStage } from '../job/progress.ts'
import type { Finished, Job } from '../job/job.ts'
import type { Rounder } from '../quantize/rounders/rounder.ts'
import { layerOutput } from '../sensitivity/metrics/layer-output.ts'
import type { Graph, Initializer } from '../graph/graph.ts'
import type { GraphSample } from './data.ts'
import { collectInputs, layerRuns, type LayerInputs } from './inputs.ts'
import type { GraphLayer } from './layers.ts'
import type { GraphModel } from './open.ts'
import { decodeLayer } from './pack.ts'
import { codecOf, layerError, roundLayer, storedColumns } from './round.ts'
import { storageOf } from './storage.ts'
import { weightTensor } from './probe.ts'

export interface QuantizeTask {
  readonly job: Job
  readonly model: GraphModel
  readonly samples: readonly GraphSample[]
  readonly choice: readonly LayerChoice[]
  readonly rounder: Rounder
}

/** Bytes of Hessians a run of layers may have: small, so that rounded layers count for those after them. */
export const quantizeRunBytes = 64 << 20

/** Whether the option makes anything of its own of the layer. */
function isStored(layer: GraphLayer, option: string): boolean {
  const storage = storageOf(layer, option)
  return !('reason' in storage) && storage.form !== 'source'
}

/** Rounds every layer that the choice changes; the bytes are in the job when it resolves. */
export async function quantizeGraphLayers({ job, model, samples, choice, rounder }: QuantizeTask): Promise<void> {
  const { context } = job
  const optionOf = new Map(choice.map(({ name, option }) => [name, parseOption(option).codec]))
  const wanted = model.layers.filter((layer) => isStored(layer, optionOf.get(layer.name) ?? 'F32'))
  const progress = beginStage(context, 'quantize', wanted.length)
  let graph: Graph = model.graph
  for (const run of layerRuns(wanted, quantizeRunBytes)) {
    const finished = new Map<string, Uint8Array>()
    for (const layer of run) if (await job.finished(layer.name, optionOf.get(layer.name) ?? '')) finished.set(layer.name, await job.readTensor(layer.name))
    const inputs = finished.size === run.length ? null : await collectInputs(graph, run, samples, {}, context)
    const replaced = new Map<string, Initializer>()
    for (const layer of run) {
      context.signal.throwIfAborted()
      const option = optionOf.get(layer.name) ?? 'F32'
      const bytes = finished.get(layer.name) ?? await roundAndStore(job, model, layer, option, rounder, inputs?.get(layer.name) ?? null)
      const { type, dims, data } = await weightTensor(layer, await decodeLayer(layer, codecOf(option), storedColumns(layer, option), bytes))
      replaced.set(layer.name, { name: layer.name, type, dims, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
      progress.advance(layer.name)
    }
    graph = { ...graph, initializers: new Map([...graph.initializers, ...replaced]) }
  }
}

async function roundAndStore(job: Job, model: GraphModel, layer: GraphLayer, option: string, rounder: Rounder, inputs: LayerInputs | null): Promise<Uint8Array> {
  const weights = await model.readWeight(layer.name)
  const bytes = await roundLayer(rounder, layer, option, weights, inputs)
  const quantized = await decodeLayer(layer, codecOf(option), storedColumns(layer, option), bytes)
  const error = inputs === null ? 0 : await layerError(layerOutput, layer, weights, quantized, inputs)
  const record: Finished = { name: layer.name, option, bytes: bytes.length, error }
  await job.writeTensor(record, bytes)
  job.context.report({ type: 'tensor', ...record })
  return bytes
}
