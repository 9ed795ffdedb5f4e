/**
 * @file The blocks' weights while a program runs: in memory as far as they may be, the others in a file of the run's folder that is
 * removed at the end. A program needs one block at a time, so a parked one is read when its turn comes, into memory that the next one
 * takes over: parked blocks take the memory of the largest of them, whatever the depth.
 */
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { fileProblem, malformed } from '../../io/problems.ts'
import { residentBytes, withArrays, type BaseWeight } from './weight.ts'

/** By layer name. */
export type BlockWeights = ReadonlyMap<string, BaseWeight>

export interface WeightPark {
  set(block: number, weights: BlockWeights): Promise<void>
  /** The weights of a block; those of a parked one stand until another block is asked for. */
  get(block: number): Promise<BlockWeights>
  dispose(): Promise<void>
}

export interface WeightParkOptions {
  /** Whether a block of so many bytes may stay in memory. */
  readonly holds: (bytes: number) => boolean
  /** Where the file goes; one park at a time uses a folder. */
  readonly folder: string
}

/** Arrays begin at multiples of this. */
const ALIGNMENT = 64
/** Bytes of one read; systems refuse 2 GiB. */
const READ_MOST = 1 << 30

interface Parked {
  /** Place in the file. */
  readonly position: number
  readonly bytes: number
  /** The weights without their numbers, and where those of each array begin in the block's bytes, and how many they are. */
  readonly empty: BlockWeights
  readonly arrays: readonly (readonly [number, number])[]
}

/** Splits weights into their numbers, at places counted from 0, and all else that they are. */
function layOut(weights: BlockWeights): Omit<Parked, 'position'> & { readonly pieces: readonly (readonly [number, Uint8Array])[] } {
  const pieces: [number, Uint8Array][] = []
  const arrays: [number, number][] = []
  let bytes = 0
  const place = (array: Float32Array | Uint8Array): void => {
    pieces.push([bytes, new Uint8Array(array.buffer, array.byteOffset, array.byteLength)])
    arrays.push([bytes, array.length])
    bytes += Math.ceil(array.byteLength / ALIGNMENT) * ALIGNMENT
  }
  const floats = (array: Float32Array): Float32Array => (place(array), new Float32Array())
  const ofBytes = (array: Uint8Array): Uint8Array => (place(array), new Uint8Array())
  const empty = new Map([...weights].map(([layer, weight]) => [layer, withArrays(weight, { floats, bytes: ofBytes })]))
  return { empty, arrays, bytes, pieces }
}

/** The weights over a copy of the block's bytes. */
function over(memory: ArrayBuffer, { empty, arrays }: Parked): BlockWeights {
  let next = 0
  const floats = (): Float32Array => new Float32Array(memory, ...arrays[next++])
  const bytes = (): Uint8Array => new Uint8Array(memory, ...arrays[next++])
  return new Map([...empty].map(([layer, weight]) => [layer, withArrays(weight, { floats, bytes })]))
}

/** A place for the weights of blocks, all of which are set before the first is asked for. Without options all stay in memory. */
export function openWeightPark({ holds, folder }: WeightParkOptions = { holds: () => true, folder: '' }): WeightPark {
  const held = new Map<number, BlockWeights>()
  const parked = new Map<number, Parked>()
  // One name, so that a run that goes on takes over the file of the one that was killed.
  const file = path.join(folder, 'weights.tmp')
  let opening: Promise<FileHandle> | undefined
  let end = 0
  let memory = new ArrayBuffer(0)
  let current: { readonly block: number; readonly weights: BlockWeights } | undefined

  async function write(weights: BlockWeights): Promise<Parked> {
    opening ??= mkdir(folder, { recursive: true }).then(() => open(file, 'w+'))
    const handle = await opening
    const { pieces, ...rest } = layOut(weights)
    const position = end
    end += rest.bytes
    for (const [first, piece] of pieces) await handle.write(piece, 0, piece.length, position + first)
    await handle.truncate(end)
    return { position, ...rest }
  }

  async function read(handle: FileHandle, block: number, { position, bytes }: Parked): Promise<void> {
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await handle.read(new Uint8Array(memory), at, Math.min(bytes - at, READ_MOST), position + at).catch((cause: unknown) => {
        throw fileProblem(file, 'reading', cause)
      })
      if (bytesRead === 0) throw malformed(file, `${at} bytes of block ${block}`, String(bytes), 'Another program has changed the file: resume the run.')
      at += bytesRead
    }
  }

  return {
    async set(block, weights) {
      if (holds([...weights.values()].reduce((sum, weight) => sum + residentBytes(weight), 0))) {
        held.set(block, weights)
        return
      }
      parked.set(block, await write(weights).catch((cause: unknown) => {
        throw fileProblem(file, 'writing', cause)
      }))
    },
    async get(block) {
      const known = held.get(block) ?? (current?.block === block ? current.weights : undefined)
      if (known !== undefined) return known
      const place = parked.get(block)
      const handle = await opening
      if (place === undefined || handle === undefined) throw new Error(`no weights parked for block ${block}`)
      if (memory.byteLength === 0) memory = new ArrayBuffer(Math.max(...[...parked.values()].map(({ bytes }) => bytes)))
      current = undefined
      await read(handle, block, place)
      current = { block, weights: over(memory, place) }
      return current.weights
    },
    async dispose() {
      held.clear()
      parked.clear()
      current = undefined
      memory = new ArrayBuffer(0)
      const handle = await opening?.catch(() => undefined)
      if (handle === undefined) return
      await handle.close()
      await rm(file, { force: true })
    },
  }
}
