/** @file SHA-256 of files by streaming through one buffer of a megabyte: new ones would keep the garbage collector busy. */
import { createHash } from 'node:crypto'
import { AppError } from '../../contract/errors.ts'
import { openBytes } from './byte-file.ts'

const CHUNK_BYTES = 1 << 20

/** Throws the error of a cancelled run where the signal is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('cancelled', 'Cancelled')
}

/** Hexadecimal SHA-256 of a file, as sha256sum prints it. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  const file = await openBytes(path)
  try {
    const hash = createHash('sha256')
    const place = new Uint8Array(Math.min(CHUNK_BYTES, file.sizeBytes))
    for (let offset = 0; offset < file.sizeBytes; offset += CHUNK_BYTES) {
      throwIfCancelled(signal)
      const length = Math.min(CHUNK_BYTES, file.sizeBytes - offset)
      hash.update(await file.read(offset, length, 'contents', place.subarray(0, length)))
    }
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}

/** Hash of several files by name: of the lines "hash  name" in order of the names, as sha256sum would list them. */
export function hashList(files: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [name, sha256] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) hash.update(`${sha256}  ${name}\n`)
  return hash.digest('hex')
}

/** Hash of several files together. */
export async function sha256Files(files: readonly { readonly name: string; readonly path: string }[], signal?: AbortSignal): Promise<string> {
  const hashes = new Map<string, string>()
  for (const { name, path } of files) hashes.set(name, await sha256File(path, signal))
  return hashList(hashes)
}
