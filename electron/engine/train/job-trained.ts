/**
 * @file What training made of a job's layers, beside what quantizing made of them: branches, stored scales, norms. `trained.json` is
 * written last and makes the rest count, so that a resumed job trains once.
 */
import { z } from 'zod'
import { AppError } from '../../contract/errors.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import { TrainingSummary } from '../../contract/training.ts'
import type { AdapterSource } from '../correct/adapter-source.ts'
import { jobAdapter, writeBranch } from '../correct/job-adapter.ts'
import type { ReadBlob } from '../export/exporter.ts'
import type { Job } from '../job/job.ts'
import type { Layer } from '../model.ts'
import type { TrainedWeights } from './trained.ts'

const record = 'trained.json'
const prefix = 'trained-'

const Record = z.object({ layers: z.array(z.string()), norms: z.array(z.string()), summary: TrainingSummary })

export interface JobTrained {
  readonly summary: TrainingSummary
  /** A layer's bytes: with trained scales, else as it was quantized. */
  readonly blob: ReadBlob
  readonly adapter: AdapterSource | null
  /** By canonical name. */
  readonly norms: ReadonlyMap<string, Float32Array>
}

const blobFile = (layer: string): string => `${encodeURIComponent(layer)}.scales.bin`
const normFile = (name: string): string => `${encodeURIComponent(name)}.norm.bin`

/** The part of the job's files that is training's own. */
function trainedFiles(job: Job): Job {
  return { ...job, readFile: (name) => job.readFile(prefix + name), writeFile: (name, data) => job.writeFile(prefix + name, data) }
}

async function readWhole(job: Job, name: string): Promise<Uint8Array> {
  const data = await trainedFiles(job).readFile(name)
  if (data === undefined) throw new AppError('file-missing', `${job.folder}: the trained ${name} is gone`, { hint: `Delete ${prefix}${record} in the job's files and resume, and it is made again.` })
  return data
}

/** Keeps the outcome of a job's training; branches as they will be stored. */
export async function writeTrained(job: Job, { adapter, blobs, norms }: TrainedWeights, summary: TrainingSummary): Promise<void> {
  const files = trainedFiles(job)
  for (const branch of adapter.values()) await writeBranch(files, branch)
  for (const [layer, bytes] of blobs) await files.writeFile(blobFile(layer), bytes)
  for (const [name, values] of norms) await files.writeFile(normFile(name), new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
  await files.writeFile(record, JSON.stringify({ layers: [...blobs.keys()], norms: [...norms.keys()], summary } satisfies z.input<typeof Record>))
}

/** The outcome of a job's training; null where it has not been trained. */
export async function readTrained(job: Job, layers: readonly Layer[], choice: readonly LayerChoice[]): Promise<JobTrained | null> {
  const files = trainedFiles(job)
  const text = await files.readFile(record)
  if (text === undefined) return null
  const { layers: rescaled, norms: names, summary } = Record.parse(JSON.parse(Buffer.from(text).toString('utf8')))
  const own = new Set(rescaled)
  const norms = new Map<string, Float32Array>()
  for (const name of names) norms.set(name, new Float32Array(new Uint8Array(await readWhole(job, normFile(name))).buffer))
  return { summary, norms, adapter: jobAdapter(files, layers, choice), blob: (layer) => (own.has(layer) ? readWhole(job, blobFile(layer)) : job.readTensor(layer)) }
}
