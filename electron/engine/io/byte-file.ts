/** @file One file read by ranges. Nothing is held; a range past the end is an error before anything is allocated. */
import { open } from 'node:fs/promises'
import { fileProblem, malformed } from './problems.ts'

export interface ByteFile {
  readonly path: string
  readonly sizeBytes: number
  /** The bytes [offset, offset + length); `what` names them in errors. They are put into `place` where one is given, which must be as long. */
  read(offset: number, length: number, what: string, place?: Uint8Array): Promise<Uint8Array>
  close(): Promise<void>
}

/** Most bytes asked of the operating system at once: Linux answers at most 2 GiB. */
const READ_BYTES_MAX = 1 << 30

/** Opens a regular file for reading by range. */
export async function openBytes(path: string): Promise<ByteFile> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw fileProblem(path, 'opening', cause)
  })
  const info = await handle.stat()
  if (!info.isFile()) {
    await handle.close()
    throw malformed(path, info.isDirectory() ? 'a folder' : 'a device or pipe', 'a regular file', 'Choose a file.')
  }
  const sizeBytes = info.size

  async function read(offset: number, length: number, what: string, place?: Uint8Array): Promise<Uint8Array> {
    if (offset < 0 || length < 0 || offset + length > sizeBytes) {
      throw malformed(`${path}: ${what}`, `bytes ${offset} to ${offset + length} of a file of ${sizeBytes} bytes`, 'a range inside the file')
    }
    const bytes = place ?? new Uint8Array(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, READ_BYTES_MAX), offset + done).catch((cause: unknown) => {
        throw fileProblem(path, 'reading', cause)
      })
      if (bytesRead === 0) throw malformed(`${path}: ${what}`, `the end of the file at byte ${offset + done}`, `${length - done} bytes more`, 'The file was changed while it was read: wait until it is complete.')
      done += bytesRead
    }
    return bytes
  }
  return { path, sizeBytes, read, close: () => handle.close() }
}
