/**
 * @file The external data of an export: ranges are reserved while the graph is written, the bytes are made when the file is.
 * So the exact size is known before anything is read, and no more than one weight is in memory at a time.
 */
import { byteLength } from '../graph/element.ts'
import type { Initializer } from '../graph/graph.ts'

/** One tensor of the file without its place. */
export interface Part {
  readonly name: string
  readonly type: Initializer['type']
  readonly dims: readonly number[]
}

/** Parts that come from one source, in the order of the file; `read` gives their bytes in that order, in pieces. */
interface Entry {
  readonly name: string
  readonly lengths: readonly number[]
  readonly read: () => AsyncIterable<Uint8Array> | Promise<Iterable<Uint8Array>>
}

export interface ExternalData {
  /** Reserves ranges and returns the initializers that refer to them. `name` is what progress is reported under. */
  add(name: string, parts: readonly Part[], read: Entry['read']): readonly Initializer[]
  readonly sizeBytes: () => number
  /** The bytes of the file; `advance` is called after each entry. */
  chunks(advance: (name: string) => void): AsyncGenerator<Uint8Array>
}

/** What vector units load at once. Runtimes map from the page below, so a page of padding a tensor is not needed. */
const ALIGNMENT = 64

/** External data for a file of this name beside the model. */
export function externalData(file: string): ExternalData {
  const entries: Entry[] = []
  let end = 0
  return {
    add(name, parts, read) {
      const lengths = parts.map(({ type, dims }) => byteLength(type, dims))
      entries.push({ name, lengths, read })
      return parts.map((part, at) => {
        const offset = align(end)
        end = offset + lengths[at]
        return { ...part, data: { path: file, offset, length: lengths[at] } }
      })
    },
    sizeBytes: () => end,
    async *chunks(advance) {
      let at = 0
      for (const { name, lengths, read } of entries) {
        // The ends of the parts tell where padding goes; a piece never spans two parts.
        const ends = lengths.values()
        let left = 0
        for await (const piece of await read()) {
          while (left === 0) {
            yield new Uint8Array(align(at) - at)
            at = align(at)
            const next = ends.next()
            if (next.done === true) throw new Error(`${name}: more bytes than reserved`)
            left = next.value
          }
          if (piece.length > left) throw new Error(`${name}: a piece spans two parts`)
          yield piece
          at += piece.length
          left -= piece.length
        }
        if (left > 0 || ends.next().done !== true) throw new Error(`${name}: fewer bytes than reserved`)
        advance(name)
      }
    },
  }
}

function align(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT
}
