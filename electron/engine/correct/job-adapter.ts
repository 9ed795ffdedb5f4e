/**
 * @file The branches of a job: one file for each corrected layer among the job's by-products, A then B in float32, as they will be
 * stored. A layer's branch is written before its tensor's record, so a layer that counts as finished has it.
 */
import { AppError } from '../../contract/errors.ts'
import type { LayerChoice } from '../../contract/recipe.ts'
import type { Job } from '../job/job.ts'
import type { Layer } from '../model.ts'
import { adapterScale, type LayerAdapter } from './adapter.ts'
import type { AdapterSource } from './adapter-source.ts'

const fileOf = (layer: string): string => `adapter-${encodeURIComponent(layer)}.bin`

/** Keeps a branch in the job, over an earlier one; its factor goes into B. */
export async function writeBranch(job: Job, branch: LayerAdapter): Promise<void> {
  const { layer, a, b } = branch
  const scale = adapterScale(branch)
  const both = new Float32Array(a.length + b.length)
  both.set(a)
  both.set(scale === 1 ? b : b.map((value) => value * scale), a.length)
  await job.writeFile(fileOf(layer), new Uint8Array(both.buffer))
}

/** A branch of `rank` with factor 1. @throws AppError file-missing, file-malformed */
export async function readBranch(job: Job, layer: Layer, rank: number): Promise<LayerAdapter> {
  const { name, shape: [rows, cols] } = layer
  const data = await job.readFile(fileOf(name))
  const hint = `Delete the record of ${name} in the job's tensors and resume, and it is made again.`
  if (!data) throw new AppError('file-missing', `${job.folder}: the correction of ${name} is gone`, { hint })
  if (data.byteLength !== rank * (rows + cols) * 4) throw new AppError('file-malformed', `${job.folder}: the correction of ${name}: found ${data.byteLength} bytes, expected ${rank * (rows + cols) * 4} for rank ${rank}`, { hint })
  const both = new Float32Array(new Uint8Array(data).buffer)
  return { layer: name, rank, alpha: rank, a: both.subarray(0, rank * cols), b: both.subarray(rank * cols) }
}

/** The job's branches, read one at a time; null where no layer has one. */
export function jobAdapter(job: Job, layers: readonly Layer[], choice: readonly LayerChoice[]): AdapterSource | null {
  const corrected = choice.filter(({ rank }) => rank > 0)
  if (corrected.length === 0) return null
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const ranks = new Map(corrected.map(({ name, rank }) => [name, { rank, alpha: rank }]))
  return {
    branches: ranks,
    read(name) {
      const layer = byName.get(name)
      const branch = ranks.get(name)
      if (!layer || !branch) throw new AppError('bad-recipe', `recipe: no correction beside ${name}`)
      return readBranch(job, layer, branch.rank)
    },
  }
}
