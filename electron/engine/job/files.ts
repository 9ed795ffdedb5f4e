/** @file The small files of a job: replaced whole, read where they are there. */
import { mkdir, readFile } from 'node:fs/promises'
import { fileProblem } from '../io/problems.ts'
import { writeWhole as writeChunks } from '../io/write-file.ts'

/** Makes a folder and its parents; a refusal names the folder. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => { throw fileProblem(folder, 'making the folder', cause) })
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
