/**
 * @file Learned rounding within a job. What a block learned is kept beside its tensors and made to count by a record that is written
 * last; then the tensors are written over. A job that was killed in between finds the record and writes them again, the same.
 */
import { z } from 'zod'
import { AppError } from '../../../contract/errors.ts'
import type { Park } from '../../calibrate/runner.ts'
import type { Job } from '../../job/job.ts'
import type { Learned } from './learn-block.ts'

/** Learned rounding of one block: `inputs` are those of the quantized block, `targets` the outputs of the original. */
export type LearnBlock = (block: number, hidden: { readonly inputs: Park; readonly targets: Park; readonly windows: number }) => Promise<Learned>

const Record = z.object({ layers: z.array(z.string()), before: z.number(), after: z.number() })

const recordFile = (block: number): string => `learned-block${block}.json`
const layerFile = (layer: string): string => `learned-${encodeURIComponent(layer)}.bin`

/** What a block learned: read where it is there, else learned now and kept. */
export async function learnedOf(job: Job, block: number, learn: () => Promise<Learned>): Promise<ReadonlyMap<string, Uint8Array>> {
  const text = await job.readFile(recordFile(block))
  if (text === undefined) {
    const { blobs, before, after } = await learn()
    for (const [layer, bytes] of blobs) await job.writeFile(layerFile(layer), bytes)
    await job.writeFile(recordFile(block), JSON.stringify({ layers: [...blobs.keys()], before, after } satisfies z.input<typeof Record>))
    job.context.report({ type: 'log', level: 'info', text: `block ${block + 1}: learned rounding takes the error of its output from ${before.toExponential(3)} to ${after.toExponential(3)} of its size` })
    return blobs
  }
  const blobs = new Map<string, Uint8Array>()
  for (const layer of Record.parse(JSON.parse(Buffer.from(text).toString('utf8'))).layers) {
    const bytes = await job.readFile(layerFile(layer))
    if (bytes === undefined) throw new AppError('file-missing', `${job.folder}: the learned rounding of ${layer} is gone`, { hint: `Delete ${recordFile(block)} in the job's files and resume, and it is learned again.` })
    blobs.set(layer, bytes)
  }
  return blobs
}
