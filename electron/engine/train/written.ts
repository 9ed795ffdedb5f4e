/**
 * @file Windows that a model writes itself, to learn from beside those of the data: an objective that compares predictions needs no text of
 * people, and more of any text that looks like the data keeps what is trained from being drawn to the little there is (LLM-QAT, Liu et al.
 * 2023, data-free distillation). Beginnings of the data are continued by draws from the model's own predictions, many windows at a time.
 */
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { ObjectiveName, Training } from '../../contract/training.ts'
import { decoderGenerator } from '../evaluate/decoder-generator.ts'
import { chooseToken, createRandom } from '../evaluate/sampling.ts'
import type { Job } from '../job/job.ts'
import { beginStage } from '../job/progress.ts'
import type { DecoderModel } from '../session/model.ts'
import { targetKind } from './objectives/objective.ts'
import { objectives } from './objectives/objectives.ts'

export interface WritingTask {
  /** Windows of the data: written ones begin as they do, each in turn. */
  readonly windows: readonly Int32Array[]
  /** Windows to write, and tokens of each. */
  readonly count: number
  readonly length: number
  readonly seed: number
  /** Limit of memory: weights that it has no room for are read for every position. */
  readonly memoryBytes?: number | undefined
}

type Sized = Pick<DecoderModel, 'spec' | 'elements'>

/** Tokens taken from the data: enough to begin as texts of its kind do. */
const BEGINNING = 8
/** Draws are from the predictions as they are: the text is to be as the model expects text to be. */
const sampling = { temperature: 1, topP: 1 }
/** Keys and values of all windows written at a time, in bytes, and most of such windows. */
const CACHE_BYTES = 128 << 20
const SIDE_BY_SIDE = 96
/** How often a window may come in a run before more text helps: eight times over, held-out KL is 4 % above that of text that is always new. */
const REPEATS = 8
/** Weights of a model that writes, in bytes of float32: all of them are read for every position. */
const WRITER_BYTES = 1 << 30

interface WrittenTask extends Pick<Training, 'written' | 'steps' | 'batch'> {
  readonly objective: ObjectiveName
  /** Windows of the data, and tokens of each. */
  readonly read: number
  readonly length: number
  readonly memoryBytes: number | undefined
}

/**
 * Windows that a recipe has written. Where it does not say: those that the data lacks for none to come oftener than `REPEATS` in a run, if the
 * original is what is learned from, fits the limit of memory, and is small enough to write much in little time.
 * @throws AppError bad-recipe where windows are asked for and nothing is learned from the original
 */
export function writtenCount(model: Sized, { written, objective, steps, batch, read, length, memoryBytes = Infinity }: WrittenTask): number {
  const isTaught = targetKind(objectives[objective]({}), model.spec.blocks) !== null
  if (!isTaught && written) throw new AppError('bad-recipe', `training: found ${written} windows for the model to write and the objective "${objective}", which learns from the words of the data alone`, { hint: 'Leave out --written, or choose an objective that learns from the original (lrec, rilq, block, kd-topk).' })
  if (written !== undefined) return written
  const isSmall = model.elements * Float32Array.BYTES_PER_ELEMENT <= WRITER_BYTES && writerBytes(model, length) <= memoryBytes
  return isTaught && isSmall ? Math.max(0, Math.ceil((steps * batch) / REPEATS) - read) : 0
}

/** Bytes of the keys and values of one window. */
function windowBytes({ spec: { blocks, kvHeads, headSize } }: Pick<Sized, 'spec'>, length: number): number {
  return 2 * blocks * kvHeads * headSize * length * Float32Array.BYTES_PER_ELEMENT
}

/** Windows written at a time. */
function sideBySide(model: Pick<Sized, 'spec'>, length: number): number {
  return Math.max(1, Math.min(SIDE_BY_SIDE, Math.floor(CACHE_BYTES / windowBytes(model, length))))
}

/** Memory of a model that writes windows: its weights, keys and values, and the logits of a position. */
export function writerBytes(model: Sized, length: number): number {
  const { spec: { vocabulary }, elements } = model
  return elements * Float32Array.BYTES_PER_ELEMENT + sideBySide(model, length) * (windowBytes(model, length) + 2 * vocabulary * Float32Array.BYTES_PER_ELEMENT)
}

/**
 * Windows of `length` tokens that the model writes; the same for the same seed.
 * @throws AppError bad-data without a window to begin from
 */
export async function writeWindows(model: DecoderModel, { windows, count, length, seed, memoryBytes }: WritingTask, context: Context): Promise<Int32Array[]> {
  if (count === 0) return []
  const begun = Math.min(BEGINNING, length, ...windows.map((window) => window.length))
  if (windows.length === 0 || begun === 0) throw new AppError('bad-data', 'training data: found no text, expected some for the model to go on from', { hint: 'Give more text, or shorter windows (--length).' })
  const random = createRandom(seed)
  const written: Int32Array[] = []
  const progress = beginStage(context, 'calibrate', count)
  while (written.length < count) {
    const group = Math.min(sideBySide(model, length), count - written.length)
    const texts = Array.from({ length: group }, (_, at) => {
      const text = new Int32Array(length)
      text.set(windows[(written.length + at) % windows.length].subarray(0, begun))
      return text
    })
    await goOn(model, texts, { begun, random, memoryBytes }, context)
    written.push(...texts)
    progress.advance(`text ${written.length}`, group)
  }
  return written
}

/** Fills texts of equal lengths, of which the first `begun` tokens are there. */
async function goOn(model: DecoderModel, texts: readonly Int32Array[], { begun, random, memoryBytes }: { begun: number; random: () => number; memoryBytes: number | undefined }, { signal }: Context): Promise<void> {
  const [{ length }] = texts
  const weightBytes = memoryBytes === undefined ? {} : { memoryBytes: Math.max(0, memoryBytes - texts.length * windowBytes(model, length)) }
  const generator = decoderGenerator(model, { count: texts.length, signal, ...weightBytes })
  try {
    let given = texts.map((text) => text.subarray(0, begun))
    for (let at = begun; at < length; at++) {
      signal.throwIfAborted()
      const tokens = Int32Array.from(given.flatMap((own) => [...own]))
      const logits = await generator.next(tokens, length)
      for (const [index, text] of texts.entries()) text[at] = chooseToken(logits.subarray(index * generator.vocabulary, (index + 1) * generator.vocabulary), sampling, random)
      given = texts.map((text) => text.subarray(at, at + 1))
    }
  } finally {
    generator.dispose()
  }
}

const file = 'written.bin'

/** The windows that a job's model writes, or those that it wrote before the job was stopped. */
export async function jobWritten(job: Job, model: DecoderModel, task: WritingTask): Promise<readonly Int32Array[]> {
  const { count, length } = task
  const kept = await job.readFile(file)
  if (kept?.length === count * length * Int32Array.BYTES_PER_ELEMENT) {
    const tokens = new Int32Array(new Uint8Array(kept).buffer)
    return Array.from({ length: count }, (_, at) => tokens.subarray(at * length, (at + 1) * length))
  }
  const written = await writeWindows(model, task, job.context)
  await job.writeFile(file, Buffer.concat(written.map(({ buffer }) => new Uint8Array(buffer))))
  return written
}
