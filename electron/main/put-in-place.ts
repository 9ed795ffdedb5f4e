/**
 * @file A file that a model misses and the user found elsewhere, put where the model looks for it: nothing outside the model's
 * folder is ever read as part of it. By a link where the disk has them, else by a copy; what is there already is never replaced.
 */
import { constants, copyFile, link, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../contract/errors.ts'

/** Disks that have no links, and files on another disk. */
const withoutLinks: ReadonlySet<unknown> = new Set(['EXDEV', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EISDIR', 'EINVAL', 'UNKNOWN'])

const isInside = (folder: string, file: string): boolean => !path.relative(folder, file).startsWith('..') && !path.isAbsolute(path.relative(folder, file))

/** Puts `found` at `missing`, which must lie in `model` or, where that is a file, in its folder, links followed. @throws AppError bad-request, file-unreadable, disk-full */
export async function putInPlace(found: string, missing: string, model: string): Promise<void> {
  try {
    const [folder, place] = await Promise.all([realpath((await stat(model)).isDirectory() ? model : path.dirname(model)), realpath(path.dirname(missing))])
    if (!isInside(folder, place)) throw new AppError('bad-request', `${missing}: not in the folder of ${model}`, { hint: 'Put the file beside the model yourself.' })
    const source = await realpath(found)
    await link(source, missing).catch((cause: unknown) => {
      if (cause instanceof Error && 'code' in cause && withoutLinks.has(cause.code)) return copyFile(source, missing, constants.COPYFILE_EXCL)
      throw cause
    })
  } catch (cause) {
    if (cause instanceof AppError || !(cause instanceof Error)) throw cause
    throw new AppError('code' in cause && cause.code === 'ENOSPC' ? 'disk-full' : 'file-unreadable', `${missing}: the file could not be put there (${cause.message})`, { hint: 'Put it beside the model yourself, under this name.', cause })
  }
}
