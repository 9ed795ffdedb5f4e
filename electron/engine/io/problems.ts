/** @file Errors of files in one wording: where · found · expected, and what to do. */
import { AppError, type ErrorCode } from '../../contract/errors.ts'

const damagedHint = 'The file is damaged or was not copied completely: download or export it again and compare its size and checksum.'

/** A file that breaks its own format. */
export function malformed(where: string, found: string, expected: string, hint = damagedHint): AppError {
  return new AppError('file-malformed', `${where}: found ${found}, expected ${expected}`, { hint, details: { where, found, expected } })
}

/** A tensor whose storage type this reader does not decode. */
export function unsupportedType(where: string, type: string, supported: readonly string[]): AppError {
  return new AppError('unsupported-tensor', `${where}: found storage type ${type}, expected one of ${supported.join(', ')}`, {
    hint: 'Use a file of the same model in one of the types listed, best an unquantized one (F16, BF16 or F32).',
    details: { where, type },
  })
}

const fileErrors: Readonly<Record<string, { code: ErrorCode; found: string; hint: string }>> = {
  ENOENT: { code: 'file-missing', found: 'nothing there', hint: 'Check the path; the file may have been moved or not downloaded yet.' },
  ENOTDIR: { code: 'file-missing', found: 'a file where a folder was expected', hint: 'Check the path.' },
  EACCES: { code: 'file-unreadable', found: 'no permission', hint: 'Give yourself permission to this file or folder, or choose another.' },
  EPERM: { code: 'file-unreadable', found: 'no permission', hint: 'Give yourself permission to this file or folder, or choose another.' },
  EROFS: { code: 'file-unreadable', found: 'a read-only disk', hint: 'Choose a folder on a disk that can be written.' },
  EISDIR: { code: 'file-unreadable', found: 'a folder where a file was expected', hint: 'Choose the file inside the folder.' },
  EMFILE: { code: 'file-unreadable', found: 'too many open files', hint: 'Close other programs or raise the limit of open files (ulimit -n).' },
  EIO: { code: 'file-unreadable', found: 'an input/output error of the disk', hint: 'The disk or the network folder may be failing: copy the file elsewhere and try again.' },
  ENOSPC: { code: 'disk-full', found: 'no space left', hint: 'Free space on this disk and resume (what is finished is kept), or choose another output folder.' },
  EDQUOT: { code: 'disk-full', found: 'the disk quota used up', hint: 'Free space on this disk and resume (what is finished is kept), or choose another output folder.' },
  EFBIG: { code: 'disk-full', found: 'a file larger than the file system allows', hint: 'Choose a folder on another disk, or smaller shards.' },
  EEXIST: { code: 'file-exists', found: 'something already there', hint: 'Choose another name, or remove what is there first.' },
}

/** An operating system error as an AppError: `doing` says what was tried ("reading", "writing"). Other values are returned as they are. */
export function fileProblem(path: string, doing: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'string' || cause instanceof AppError) return cause
  const known = fileErrors[cause.code]
  if (!known) return new AppError('file-unreadable', `${path}: ${doing} failed with ${cause.code}`, { hint: cause.message, cause })
  return new AppError(known.code, `${path}: ${doing} failed, found ${known.found}`, { hint: known.hint, cause })
}
