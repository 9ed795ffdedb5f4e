/** @file Writes a file so that it is either there whole or not there: temporary file beside it, fsync, rename. Hashed on the way. */
import { createHash } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { throwIfCancelled } from './hash.ts'
import { fileProblem } from './problems.ts'

export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>
export interface Written {
  readonly sizeBytes: number
  readonly sha256: string
}
export interface WriteOptions {
  readonly signal?: AbortSignal
  /** Replace a file that is there already (default: an error). */
  readonly overwrite?: boolean
}

/** Bytes hashed and written between two turns of the event loop: under a millisecond of hashing. */
const PIECE_BYTES = 1 << 20

/** Makes a rename durable where the system allows folders to be synced. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => null)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

/** Refuses to write over a file that is there. */
export async function checkAbsent(file: string): Promise<void> {
  if (await stat(file).catch(() => null)) {
    throw new AppError('file-exists', `${file}: found a file already there, expected none`, { hint: 'Choose another name, or remove the file first.' })
  }
}

/**
 * Writes the chunks to `file`. Where anything fails, or the signal is aborted, nothing is left behind.
 * @throws AppError file-exists, disk-full, file-unreadable, cancelled
 */
export async function writeWhole(file: string, chunks: Chunks, options: WriteOptions = {}): Promise<Written> {
  if (options.overwrite !== true) await checkAbsent(file)
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.partial`)
  const handle = await open(temporary, 'w').catch((cause: unknown) => {
    throw fileProblem(file, 'writing', cause)
  })
  const hash = createHash('sha256')
  let sizeBytes = 0
  try {
    try {
      for await (const chunk of chunks) {
        for (let start = 0; start < chunk.length; start += PIECE_BYTES) {
          throwIfCancelled(options.signal)
          const piece = chunk.subarray(start, start + PIECE_BYTES)
          hash.update(piece)
          await handle.writeFile(piece)
        }
        sizeBytes += chunk.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw fileProblem(file, 'writing', cause)
  }
  await syncFolder(path.dirname(file))
  return { sizeBytes, sha256: hash.digest('hex') }
}
