/**
 * @file A job is a folder: `recipe.json`, `events.jsonl`, one file per finished tensor. Resuming is replaying: what has a
 * file is not done again. A tensor file is its codec's bytes; its record (`NAME.json`) is written after it and makes it count.
 */
import { appendFile, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { AppError } from '../../contract/errors.ts'
import type { Context, JobEvent } from '../../contract/events.ts'
import { Recipe } from '../../contract/recipe.ts'
import { fileProblem } from '../io/problems.ts'
import { makeFolder, readIfThere, writeWhole } from './files.ts'

const Finished = z.object({ name: z.string(), option: z.string(), bytes: z.number(), error: z.number() })
/** A quantized tensor that is on disk. `error` is tr(ΔHΔᵀ) per token, as measured while rounding. */
export type Finished = z.infer<typeof Finished>

export interface Job {
  readonly folder: string
  readonly recipe: Recipe
  readonly finished: (name: string, option: string) => Promise<Finished | undefined>
  readTensor(name: string): Promise<Uint8Array>
  writeTensor(record: Finished, data: Uint8Array): Promise<void>
  /** A statistic or other by-product kept for resuming. */
  readFile(name: string): Promise<Uint8Array | undefined>
  writeFile(name: string, data: string | Uint8Array): Promise<void>
  /** The context with its events also appended to events.jsonl. */
  readonly context: Context
  /** Waits until all events are in the file. */
  flush(): Promise<void>
}

const tensorFile = (folder: string, name: string): string => path.join(folder, 'tensors', encodeURIComponent(name))

/**
 * Opens the job in `folder`: a new one, or with `resume` the one begun there with the same recipe.
 * @throws AppError 'file-exists' where a job of another recipe (or, without `resume`, any job) is in the folder.
 */
export async function openJob(folder: string, recipe: Recipe, resume: boolean, context: Context): Promise<Job> {
  const recipeFile = path.join(folder, 'recipe.json')
  const existing = await readIfThere(recipeFile)
  if (existing && !resume) {
    throw new AppError('file-exists', `${folder}: there is a job in this folder already`, { hint: 'Continue it with --resume, or choose another folder.' })
  }
  if (existing && resultText(await readRecipe(recipeFile)) !== resultText(recipe)) {
    throw new AppError('file-exists', `${folder}: the job in this folder has another recipe`, { hint: 'Resume with the recipe it was begun with, or choose another folder.' })
  }
  await makeFolder(path.join(folder, 'tensors'))
  await makeFolder(path.join(folder, 'files'))
  for (const name of await readdir(path.join(folder, 'tensors'))) {
    if (name.endsWith('.partial')) await rm(path.join(folder, 'tensors', name), { force: true })
  }
  if (!existing) await writeWhole(recipeFile, recipeText(recipe))

  const events = path.join(folder, 'events.jsonl')
  let pending: Promise<unknown> = Promise.resolve()
  const report = (event: JobEvent): void => {
    const line = `${JSON.stringify({ at: Date.now(), ...event })}\n`
    pending = pending.then(() => appendFile(events, line))
    context.report(event)
  }

  return {
    folder,
    recipe,
    context: { signal: context.signal, report },
    async finished(name, option) {
      const record = await readIfThere(`${tensorFile(folder, name)}.json`)
      if (!record) return undefined
      const parsed = Finished.safeParse(JSON.parse(Buffer.from(record).toString('utf8')))
      return parsed.success && parsed.data.option === option ? parsed.data : undefined
    },
    async readTensor(name) {
      const data = await readIfThere(`${tensorFile(folder, name)}.bin`)
      if (!data) throw new AppError('file-missing', `${tensorFile(folder, name)}.bin: a finished tensor of this job is gone`, { hint: 'Delete its .json record and resume, and it is made again.' })
      return data
    },
    async writeTensor(record, data) {
      await writeWhole(`${tensorFile(folder, record.name)}.bin`, data)
      await writeWhole(`${tensorFile(folder, record.name)}.json`, JSON.stringify(record))
    },
    readFile: (name) => readIfThere(path.join(folder, 'files', name)),
    writeFile: (name, data) => writeWhole(path.join(folder, 'files', name), data),
    async flush() {
      await pending.catch((cause: unknown) => { throw fileProblem(events, 'writing', cause) })
    },
  }
}

/** The recipe as it is written: fields in the order of the contract, whatever order they came in. */
function recipeText(recipe: Recipe): string {
  return `${JSON.stringify(Recipe.parse(recipe), null, 2)}\n`
}

/** What of a recipe tells its result: the memory it may take does not. */
const resultText = (recipe: Recipe): string => recipeText({ ...recipe, memoryBytes: undefined })

/** Reads a recipe file. */
export async function readRecipe(file: string): Promise<Recipe> {
  const data = await readIfThere(file)
  if (!data) throw new AppError('file-missing', `${file}: no such recipe`, { hint: 'Make one with "halftone plan … --out recipe.json".' })
  try {
    return Recipe.parse(JSON.parse(Buffer.from(data).toString('utf8')))
  } catch (cause) {
    const what = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : String(cause)
    throw new AppError('bad-recipe', `${file}: not a recipe: ${what}`, { hint: 'Make one with "halftone plan … --out recipe.json".', cause })
  }
}
