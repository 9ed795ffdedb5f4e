/**
 * @file What `train` is given to train: a checkpoint whose quantized tensors stay packed, or the output of `compress`, whose job has
 * the layers of any target, with the branches, scales and norms of its correction.
 */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { Target } from '../../contract/options.ts'
import type { CompressReport } from '../../contract/report.ts'
import type { Adapter, LayerAdapter } from '../correct/adapter.ts'
import { jobAdapter } from '../correct/job-adapter.ts'
import { provenanceOf, type Provenance } from '../export/exporter.ts'
import { readIfThere } from '../job/files.ts'
import { openJob, readRecipe } from '../job/job.ts'
import { codecOf } from '../quantize/quantize-decoder.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { tool } from '../tool.ts'
import { baseOfBlobs, baseOfCheckpoint, type Base } from './base/base.ts'
import { readTrained } from './job-trained.ts'
import { withNorms } from './with-norms.ts'

export interface TrainSource {
  readonly base: Base
  /** Branches that the model comes with; empty where it has none. */
  readonly adapter: Adapter
  /** The original model, where it is known. */
  readonly reference: string | null
  /** Where the model is read from when its weights are not changed; null where it is nowhere but in the job. */
  readonly file: string | null
  /** Bytes of that file, branches not counted. */
  readonly sizeBytes: number
  readonly target: Target
  readonly provenance: Provenance
  close(): Promise<void>
}

async function readAll(source: ReturnType<typeof jobAdapter>): Promise<Adapter> {
  const branches = new Map<string, LayerAdapter>()
  for (const layer of source?.branches.keys() ?? []) if (source) branches.set(layer, await source.read(layer))
  return branches
}

async function openOutput(folder: string, context: Context): Promise<TrainSource> {
  const recipe = await readRecipe(path.join(folder, 'job', 'recipe.json'))
  const model = await openDecoder(recipe.model.path, context)
  try {
    if ((await model.checkpoint.sha256(context.signal)) !== recipe.model.sha256) {
      throw new AppError('bad-recipe', `${model.path}: the model has changed since ${folder} was made from it`, { hint: 'Compress it again, or put the original back.' })
    }
    const job = await openJob(path.join(folder, 'job'), recipe, true, { signal: context.signal, report: () => undefined })
    const trained = await readTrained(job, model.layers, recipe.choice)
    const codecs = new Map(recipe.choice.map(({ name, option }) => [name, codecOf(option)]))
    const text = await readIfThere(path.join(folder, 'report.json'))
    const report = text && (JSON.parse(Buffer.from(text).toString('utf8')) as Pick<CompressReport, 'output' | 'sizeBytes' | 'adapter'>)
    return {
      base: baseOfBlobs(withNorms(model, trained?.norms ?? new Map()), codecs, trained?.blob ?? ((layer) => job.readTensor(layer))),
      adapter: await readAll(trained?.adapter ?? jobAdapter(job, model.layers, recipe.choice)),
      reference: recipe.model.path,
      file: report?.output ?? null,
      sizeBytes: (report?.sizeBytes ?? 0) - (report?.adapter?.sizeBytes ?? 0),
      target: recipe.target,
      provenance: provenanceOf(recipe),
      close: () => model.close(),
    }
  } catch (cause) {
    await model.close()
    throw cause
  }
}

function checkpointSource(model: DecoderModel, sha256: string): TrainSource {
  const target: Target = model.config === null ? 'gguf' : 'safetensors'
  return {
    base: baseOfCheckpoint(model), adapter: new Map(), reference: null, file: model.path, sizeBytes: model.checkpoint.sizeBytes, target,
    provenance: provenanceOf({ tool, model: { path: model.path, sha256 }, data: null, target, budget: { kind: 'ratio', value: 1 }, pins: {}, metric: 'none', rounder: 'nearest', correction: 'none', seed: 0 }),
    close: () => model.close(),
  }
}

/**
 * Opens what is to be trained.
 * @throws AppError as `openDecoder` does; bad-recipe where the original of a compressed model has changed
 */
export async function openTrainSource(source: string, context: Context): Promise<TrainSource> {
  const isOutput = (await stat(path.join(source, 'job', 'recipe.json')).catch(() => null))?.isFile() === true
  if (isOutput) return openOutput(source, context)
  const model = await openDecoder(source, context)
  try {
    return checkpointSource(model, await model.checkpoint.sha256(context.signal))
  } catch (cause) {
    await model.close()
    throw cause
  }
}
