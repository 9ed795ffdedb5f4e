/** @file The small files of a job: replaced whole, read where they are there. */
import { access, constants, mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileProblem } from '../io/problems.ts'
import { writeWhole as writeChunks } from '../io/write-file.ts'

/** Makes a folder and its parents; a refusal names the folder. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch(async (cause: unknown) => { throw fileProblem(folder, 'making the folder', await refusal(folder) ?? cause) })
}

/** Why nothing can be made below the nearest folder that is there: making several at once says only that the last is missing. */
async function refusal(folder: string): Promise<unknown> {
  const parent = path.dirname(path.resolve(folder))
  const isThere = await access(parent).then(() => true, () => false)
  if (!isThere) return parent === path.dirname(parent) ? undefined : refusal(parent)
  return access(parent, constants.W_OK).then(() => undefined, (cause: unknown) => cause)
}

/** Writes `data` so that a crash at any moment leaves either the old file or the new one. */
export async function writeWhole(file: string, data: string | Uint8Array): Promise<void> {
  await writeChunks(file, [typeof data === 'string' ? new TextEncoder().encode(data) : data], { overwrite: true })
}

/** The contents of a file, or undefined where there is none. */
export async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw fileProblem(file, 'reading', cause)
  }
}
