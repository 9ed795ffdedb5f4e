/** @file Text files as strings, strictly: bytes that are not UTF-8 are an error with their offset, never replaced. */
import { isUtf8 } from 'node:buffer'
import { AppError } from '../../contract/errors.ts'
import { openBytes } from './byte-file.ts'
import { throwIfCancelled } from './hash.ts'

const CHUNK_BYTES = 1 << 20

/** Bytes that the character beginning with `lead` takes; 0 where none begins so. */
function characterLength(lead: number): number {
  if (lead < 0x80) return 1
  if (lead >= 0xc2 && lead < 0xe0) return 2
  if (lead >= 0xe0 && lead < 0xf0) return 3
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0
}

/** Offset of the first byte that is not UTF-8; the length where all are. */
export function invalidOffset(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length) {
    const length = characterLength(bytes[at])
    if (length === 0 || !isUtf8(bytes.subarray(at, at + length)) || at + length > bytes.length) return at
    at += length
  }
  return at
}

/** Where the last whole character of a chunk ends: up to 3 bytes may belong to the next. */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(4, bytes.length); back++) {
    const byte = bytes[bytes.length - back]
    if ((byte & 0xc0) === 0x80) continue
    return characterLength(byte) > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function notUtf8(path: string, offset: number, bytes: Uint8Array, at: number): AppError {
  const isUtf16 = offset === 0 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
  const found = isUtf16 ? 'UTF-16' : `0x${(bytes[at] ?? 0).toString(16).padStart(2, '0')}`
  return new AppError('bad-data', `${path}: byte ${offset}: found ${found}, expected text in UTF-8`, { hint: 'Convert the file to UTF-8, for example with "iconv -f LATIN1 -t UTF-8".', details: { offset } })
}

/**
 * The text of a file in pieces of about a megabyte; a byte order mark is left out.
 * @throws AppError bad-data with the offset of the first byte that is not UTF-8
 */
export async function* readUtf8(path: string, signal?: AbortSignal): AsyncGenerator<string> {
  const file = await openBytes(path)
  try {
    let rest: Uint8Array = new Uint8Array(0)
    for (let offset = 0; offset < file.sizeBytes; offset += CHUNK_BYTES) {
      throwIfCancelled(signal)
      const read = await file.read(offset, Math.min(CHUNK_BYTES, file.sizeBytes - offset), 'text')
      const bytes = Buffer.concat([rest, read])
      const start = offset - rest.length
      const end = offset + CHUNK_BYTES < file.sizeBytes ? wholeCharacters(bytes) : bytes.length
      const whole = bytes.subarray(0, end)
      if (!isUtf8(whole)) {
        const at = invalidOffset(whole)
        throw notUtf8(path, start + at, whole, at)
      }
      const text = whole.toString('utf8')
      yield start === 0 && text.startsWith('\uFEFF') ? text.slice(1) : text
      rest = bytes.subarray(end)
    }
  } finally {
    await file.close()
  }
}
