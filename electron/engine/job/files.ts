/** @file Files that are either whole or not there: written beside their name, flushed to disk, then renamed. */
import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
}

/** An AppError for what the file system refused while writing `file`; other values are passed through. */
export function writeFailure(cause: unknown, file: string): unknown {
  switch (codeOf(cause)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new AppError('disk-full', `${file}: the disk is full`, { hint: 'Free some space and resume: what is finished is kept.', cause })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new AppError('file-unreadable', `${file}: cannot be written (${codeOf(cause) ?? ''})`, { hint: 'Choose a folder you may write to.', cause })
    default:
      return cause
  }
}

/** Makes a folder and its parents; a refusal names the folder. */
export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => { throw writeFailure(cause, folder) })
}

/** Writes `data` so that a crash at any moment leaves either the old file or the new one. */
export async function writeWhole(file: string, data: string | Uint8Array): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomUUID()}.partial`)
  try {
    const handle = await open(temporary, 'w')
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw writeFailure(cause, file)
  }
}

/** The contents of a file, or undefined where there is none. */
export async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}
