/**
 * @file The state of a run in one safetensors file, whole or not there: values and moments of every trainable, the best values so far,
 * and as JSON (tensor `progress`) where the run stands. Continuing from it gives the bytes that an uninterrupted run gives.
 */
import { z } from 'zod'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { openBytes } from '../io/byte-file.ts'
import { readSafetensorsHeader } from '../io/safetensors-header.ts'
import { safetensorsFile, type SafetensorsTensor } from '../io/safetensors-writer.ts'
import { writeWhole } from '../io/write-file.ts'
import type { Moments } from './optimizer/optimizer.ts'
import type { Trainable } from './trainables/trainable.ts'

/** What a run depends on; a run is continued only with the same. */
export const Identity = z.object({ model: z.string(), base: z.string(), teacher: z.string(), adapter: z.string(), data: z.string(), heldOut: z.string(), options: z.string() })
export type Identity = z.infer<typeof Identity>

const Skipped = z.object({ step: z.number(), windows: z.array(z.number()), reason: z.string() })
export type Skipped = z.infer<typeof Skipped>

const Point = z.object({ series: z.string(), step: z.number(), value: z.number() })
export type Point = z.infer<typeof Point>

export const Progress = z.object({
  identity: Identity,
  /** Steps done, and updates among them. */
  step: z.number().int(),
  updates: z.number().int(),
  skipped: z.array(Skipped),
  points: z.array(Point),
  best: z.object({ step: z.number().int(), loss: z.number() }).nullable(),
  /** Evaluations since the best one. */
  stale: z.number().int(),
  finished: z.boolean(),
})
export type Progress = z.infer<typeof Progress>

export interface RunState {
  readonly progress: Progress
  readonly moments: readonly Moments[]
  /** Values at the best evaluation, in the order of the trainables; empty where nothing was evaluated. */
  readonly best: readonly Float32Array[]
}

const fileName = 'checkpoint.safetensors'

function arraysOf(trainables: readonly Trainable[], { moments, best }: Pick<RunState, 'moments' | 'best'>): [string, Float32Array][] {
  return trainables.flatMap(({ name, values }, at): [string, Float32Array][] => [
    [`values.${name}`, values], [`m.${name}`, moments[at].m], [`v.${name}`, moments[at].v], ...(best.length > 0 ? [[`best.${name}`, best[at]] as [string, Float32Array]] : []),
  ])
}

/** Writes the state into the run's folder, over that of an earlier step. */
export async function saveCheckpoint(folder: string, trainables: readonly Trainable[], state: RunState): Promise<void> {
  const progress = Buffer.from(JSON.stringify(state.progress))
  const tensors: SafetensorsTensor[] = [
    { name: 'progress', type: 'U8', shape: [progress.length], data: () => [progress] },
    ...arraysOf(trainables, state).map(([name, array]): SafetensorsTensor => ({ name, type: 'F32', shape: [array.length], data: () => [new Uint8Array(array.buffer, array.byteOffset, array.byteLength)] })),
  ]
  await writeWhole(path.join(folder, fileName), safetensorsFile(tensors).chunks(), { overwrite: true })
}

function changed(file: string, found: Identity, expected: Identity): AppError {
  const parts = Identity.keyof().options.filter((part) => found[part] !== expected[part])
  return new AppError('file-exists', `${file}: found a run with ${parts.map((part) => `another ${words[part]}`).join(', ')}, expected the same as now`, { hint: 'Continue with what the run was begun with, or choose another folder.' })
}

const words: Readonly<Record<keyof Identity, string>> = { model: 'model', base: 'quantized base', teacher: 'reference model', adapter: 'adapter to begin with', data: 'training data', heldOut: 'held-out data', options: 'settings' }

/**
 * Reads the state of the run in `folder` into the trainables; undefined where none was saved.
 * @throws AppError file-exists where it is of another run, file-malformed
 */
export async function loadCheckpoint(folder: string, trainables: readonly Trainable[], moments: readonly Moments[], identity: Identity): Promise<Pick<RunState, 'progress' | 'best'> | undefined> {
  const file = path.join(folder, fileName)
  if ((await stat(file).catch(() => null)) === null) return undefined
  const bytes = await openBytes(file)
  try {
    const { tensors } = await readSafetensorsHeader(bytes)
    const read = async (name: string): Promise<Uint8Array> => {
      const tensor = tensors.find((one) => one.name === name)
      if (tensor === undefined) throw new AppError('file-malformed', `${file}: found no tensor "${name}", expected those of this run`, { hint: 'Delete the file: the run begins anew.' })
      return bytes.read(tensor.offset, tensor.byteLength, name)
    }
    const progress = Progress.parse(JSON.parse(Buffer.from(await read('progress')).toString('utf8')))
    if (JSON.stringify(progress.identity) !== JSON.stringify(identity)) throw changed(file, progress.identity, identity)
    const best = progress.best === null ? [] : trainables.map(({ values }) => new Float32Array(values.length))
    for (const [name, array] of arraysOf(trainables, { moments, best })) {
      const data = await read(name)
      if (data.length !== array.byteLength) throw new AppError('file-malformed', `${file}: tensor "${name}": found ${data.length} bytes, expected ${array.byteLength}`, { hint: 'Delete the file: the run begins anew.' })
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(data)
    }
    return { progress, best }
  } finally {
    await bytes.close()
  }
}
