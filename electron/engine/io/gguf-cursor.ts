/** @file Sequential reading of a GGUF header through a sliding window: memory stays one window, whatever lengths the file claims. */
import type { ByteFile } from './byte-file.ts'
import { malformed } from './problems.ts'

/** Bytes read at once: large enough to be fast, small enough that parsing one window takes about a millisecond. */
const WINDOW_BYTES = 256 << 10

export interface Cursor {
  readonly path: string
  readonly view: DataView
  /** Makes the next `bytes` available in the window. */
  need(bytes: number, what: string): Promise<void>
  /** Steps over `bytes` that are available; returns where in `view` they begin. */
  take(bytes: number): number
  /** Bytes available now. */
  left(): number
  /** The next `bytes` as UTF-8; broken sequences become U+FFFD (merges of odd vocabularies contain them). */
  text(bytes: number): string
  /** A string with its length where both are available, without waiting. */
  tryText(): string | null
  /** Checks that the file can still hold `bytes`, before anything of that size is made. */
  claim(bytes: number, what: string): void
  /** Offset in the file. */
  position(): number
}

/** A cursor at the start of the file that refuses to read past `limit` bytes. */
export function createCursor(file: ByteFile, limit: number): Cursor {
  let bytes = new Uint8Array(0)
  let view = new DataView(bytes.buffer)
  let start = 0 // of the window, in the file
  let next = 0 // in the window
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  function claim(count: number, what: string): void {
    const end = start + next + count
    if (end > file.sizeBytes) throw malformed(`${file.path}: ${what}`, `${count} bytes claimed at byte ${start + next} of a file of ${file.sizeBytes} bytes`, 'a header inside the file')
    if (end > limit) throw malformed(`${file.path}: ${what}`, `a header of more than ${limit} bytes`, 'a smaller one')
  }

  async function need(count: number, what: string): Promise<void> {
    if (bytes.length - next >= count) return
    claim(count, what)
    start += next
    next = 0
    bytes = new Uint8Array(await file.read(start, Math.min(Math.max(count, WINDOW_BYTES), file.sizeBytes - start), what))
    view = new DataView(bytes.buffer)
  }

  function take(count: number): number {
    next += count
    return next - count
  }

  function text(count: number): string {
    const at = take(count)
    return decoder.decode(bytes.subarray(at, at + count))
  }

  function tryText(): string | null {
    if (bytes.length - next < 8) return null
    const length = view.getBigUint64(next, true)
    if (length > BigInt(bytes.length - next - 8)) return null
    next += 8
    return text(Number(length))
  }

  return { path: file.path, get view() { return view }, need, take, left: () => bytes.length - next, text, tryText, claim, position: () => start + next }
}
