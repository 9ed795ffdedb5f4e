/**
 * @file Samples for an ONNX graph: one feed of its inputs each, from NPZ or NPY, a folder of images, or JSON lines of tokens or text.
 * Some are kept aside before calibration chooses from the rest, so that a result is judged on what it has not seen.
 */
import { stat } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { AppError } from '../../contract/errors.ts'
import type { GraphOptions } from '../../contract/graph.ts'
import type { Context } from '../../contract/events.ts'
import { createRandom } from '../evaluate/sampling.ts'
import { fileProblem } from '../io/problems.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import { openArrays } from './data-arrays.ts'
import { openImages } from './data-images.ts'
import { openTokens } from './data-tokens.ts'
import type { GraphModel } from './open.ts'

export interface GraphSample {
  /** A value for every input of the graph. */
  readonly feeds: Readonly<Record<string, Tensor>>
  /** Whole numbers are classes, others targets; null without labels. */
  readonly labels: Tensor | null
}

/** All samples of some data. */
export interface SampleSource {
  readonly count: number
  /** Of the files' contents. */
  readonly sha256: string
  /** What a person should know of how the data is read. */
  readonly notes: readonly string[]
  sample(index: number): Promise<GraphSample>
  close(): Promise<void>
}

/** How samples are made from the data. */
export interface SampleOptions extends GraphOptions {
  /** Most tokens of a text. */
  readonly length: number
}

export interface DataRequest extends SampleOptions {
  readonly samples: number
  readonly seed: number
}

export interface GraphData {
  readonly sha256: string
  readonly calibration: readonly GraphSample[]
  readonly heldOut: readonly GraphSample[]
  readonly notes: readonly string[]
}

/** Samples kept aside: at most this many, and at most a fifth. */
const heldOutMost = 32
const heldOutShare = 0.2

/** Opens the data by what it is. */
async function openSource(model: GraphModel, data: string, request: SampleOptions, signal: AbortSignal): Promise<SampleSource> {
  const info = await stat(data).catch((cause: unknown) => { throw fileProblem(data, 'opening', cause) })
  if (info.isDirectory()) return openImages(model, data, request.image ?? {}, signal)
  if (/\.np[zy]$/i.test(data)) return openArrays(model, data)
  if (/\.(jsonl|ndjson)$/i.test(data)) return openTokens(model, data, request, signal)
  throw new AppError('bad-data', `${data}: found neither arrays, images nor JSON lines; expected .npz, .npy, .jsonl or a folder of images`, { hint: 'Save the inputs with numpy.savez(file, INPUT_NAME=array), an array an input, samples along the first axis.' })
}

/** 0 … count − 1 in an order that depends on the seed. */
function shuffled(count: number, seed: number): number[] {
  const random = createRandom(seed)
  const order = Array.from({ length: count }, (_, index) => index)
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[order[at], order[other]] = [order[other], order[at]]
  }
  return order
}

/** Opens the data by what it is, whole. @throws AppError bad-data, file-missing */
export async function openSamples(model: GraphModel, data: string, request: SampleOptions, signal: AbortSignal): Promise<SampleSource> {
  const source = await openSource(model, data, request, signal)
  if (source.count > 0) return source
  await source.close()
  throw new AppError('bad-data', `${data}: found no samples, expected at least one`, { hint: 'Give a few dozen samples of the kind the model will see.' })
}

async function readSamples(source: SampleSource, indexes: readonly number[], signal: AbortSignal): Promise<GraphSample[]> {
  const samples: GraphSample[] = []
  for (const index of [...indexes].sort((a, b) => a - b)) {
    signal.throwIfAborted()
    samples.push(await source.sample(index))
  }
  return samples
}

/** Samples to judge a result on: the first `samples` of the data, as they come. @throws AppError bad-data, file-missing */
export async function openHeldOut(model: GraphModel, data: string, request: DataRequest, { signal }: Pick<Context, 'signal'>): Promise<readonly GraphSample[]> {
  const source = await openSamples(model, data, request, signal)
  try {
    return await readSamples(source, Array.from({ length: Math.min(source.count, request.samples) }, (_, index) => index), signal)
  } finally {
    await source.close()
  }
}

/** Reads the samples a run needs: held-out ones first, then up to `samples` to calibrate on. @throws AppError bad-data, file-missing */
export async function openGraphData(model: GraphModel, data: string, request: DataRequest, { signal }: Pick<Context, 'signal'>): Promise<GraphData> {
  const source = await openSamples(model, data, request, signal)
  try {
    const order = shuffled(source.count, request.seed)
    const aside = source.count === 1 ? 0 : Math.min(heldOutMost, Math.max(1, Math.floor(source.count * heldOutShare)))
    const calibrated = order.slice(aside, aside + request.samples)
    return {
      sha256: createHash('sha256').update(`${source.sha256} ${calibrated.join()}`).digest('hex'),
      calibration: await readSamples(source, calibrated, signal),
      heldOut: await readSamples(source, aside === 0 ? order : order.slice(0, aside), signal),
      notes: [
        ...source.notes,
        ...(aside === 0 ? [`${data}: has one sample: the result is judged on what it was calibrated with`] : []),
        ...(calibrated.length < request.samples ? [`${data}: ${calibrated.length} samples to calibrate on and ${Math.max(1, aside)} kept aside; ${request.samples} were asked for`] : []),
      ],
    }
  } finally {
    await source.close()
  }
}
