/**
 * @file The Fisher information of every layer's outputs, for corrections that are fitted by it: taken once over the calibration windows,
 * kept in the job.
 */
import type { Job } from '../job/job.ts'
import { differentiableDecoder } from '../sensitivity/differentiable-decoder.ts'
import { outputWeights } from '../sensitivity/output-weights.ts'
import type { DecoderModel } from '../session/model.ts'

const fileOf = (layer: string): string => `fisher-${encodeURIComponent(layer)}.bin`

/** Windows that the information is taken over; more tell rows apart no better. */
const WINDOWS = 32

/** Weights of a layer's outputs [out]; null for layers without. */
export type RowWeights = (layer: string) => Promise<Float64Array | null>

/** Reads the weights of a job's corrected layers, which are measured where they are missing. */
export async function jobRowWeights(job: Job, model: DecoderModel, windows: readonly Int32Array[]): Promise<RowWeights> {
  const corrected = job.recipe.choice.filter(({ rank }) => rank > 0).map(({ name }) => name)
  const missing = new Set<string>()
  for (const layer of corrected) if ((await job.readFile(fileOf(layer))) === undefined) missing.add(layer)
  if (missing.size > 0 && windows.length > 0) {
    const differentiable = differentiableDecoder(model, windows.slice(0, WINDOWS), { loss: 'own-predictions', seed: job.recipe.seed, layers: missing })
    for (const [layer, { rows }] of await outputWeights(differentiable, job.context)) if (rows !== null) await job.writeFile(fileOf(layer), new Uint8Array(rows.buffer))
  }
  return async (layer) => {
    const bytes = await job.readFile(fileOf(layer))
    return bytes === undefined ? null : new Float64Array(new Uint8Array(bytes).buffer)
  }
}
