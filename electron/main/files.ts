/**
 * @file Files the user gave to the app (dialog, drop, recent, command line) and their handles. The page names a file by its
 * handle only, so that a compromised page cannot read any other.
 */
import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { FileHandle } from '../contract/api.ts'
import { AppError } from '../contract/errors.ts'

export interface Files {
  /** Takes a path from outside the page; throws AppError 'file-missing' where nothing is there. */
  adopt: (file: string) => Promise<FileHandle>
  /** The path behind a handle; throws AppError 'bad-request' for one that was never given out. */
  pathOf: (id: string) => string
  /** True for a path that was adopted: what may be shown in the file manager. */
  has: (file: string) => boolean
}

export function createFiles(): Files {
  const paths = new Map<string, string>()
  return {
    async adopt(file) {
      const absolute = path.resolve(file)
      const found = await stat(absolute).catch(() => undefined)
      if (!found) throw new AppError('file-missing', `${absolute}: there is no such file or folder`, { hint: 'It may have been moved or renamed. Choose it again.' })
      if (!found.isFile() && !found.isDirectory()) throw new AppError('file-unreadable', `${absolute}: neither a file nor a folder`, { hint: 'Choose a model file or a folder.' })
      const id = randomUUID()
      paths.set(id, absolute)
      return { id, name: path.basename(absolute), kind: found.isDirectory() ? 'folder' : 'file' }
    },
    pathOf(id) {
      const file = paths.get(id)
      if (file === undefined) throw new AppError('bad-request', 'this file was not opened by the user', { hint: 'Choose it again.' })
      return file
    },
    has: (file) => [...paths.values()].includes(path.resolve(file)),
  }
}
