/**
 * @file Targets on disk, one file a window and block, named by the hash of the window's tokens: any order of batches finds them, and
 * another run with the same teacher uses them again. A file is whole or not there; all together stay under a limit.
 */
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../../contract/errors.ts'
import { makeFolder, readIfThere, writeWhole } from '../../job/files.ts'
import type { TrainingWindow } from '../window.ts'
import { windowKey, type Targets, type TopTargets } from './targets.ts'

export interface TargetStore extends Targets {
  hasState(window: TrainingWindow, block: number): Promise<boolean>
  hasTop(window: TrainingWindow): Promise<boolean>
  writeState(window: TrainingWindow, block: number, state: Float32Array): Promise<void>
  writeTop(window: TrainingWindow, top: TopTargets): Promise<void>
  /** Bytes in the folder. */
  usedBytes(): number
}

export interface TargetStoreOptions {
  readonly folder: string
  /** Most bytes the folder may take. */
  readonly limitBytes: number
  readonly hidden: number
  /** Tokens kept at each position of top targets. */
  readonly top: number
}

/** Bytes of what is kept of a window. */
export function stateBytes(tokens: number, hidden: number): number {
  return tokens * hidden * 4
}

export function topBytes(tokens: number, k: number): number {
  return tokens * (2 * k + 1) * 4
}

async function folderBytes(folder: string): Promise<number> {
  let sum = 0
  for (const name of await readdir(folder)) sum += (await stat(path.join(folder, name))).size
  return sum
}

function bytesOf(array: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** Opens the folder of one teacher's targets. */
export async function openTargetStore({ folder, limitBytes, hidden, top: k }: TargetStoreOptions): Promise<TargetStore> {
  await makeFolder(folder)
  let used = await folderBytes(folder)
  const stateFile = (window: TrainingWindow, block: number): string => path.join(folder, `${windowKey(window)}.block${block}`)
  const topFile = (window: TrainingWindow): string => path.join(folder, `${windowKey(window)}.top${k}`)

  async function isThere(file: string, bytes: number): Promise<boolean> {
    const info = await stat(file).catch(() => null)
    return info?.size === bytes
  }

  async function read(file: string, bytes: number): Promise<ArrayBuffer> {
    const data = await readIfThere(file)
    if (data?.length === bytes) return new Uint8Array(data).buffer
    throw new AppError('file-malformed', `${file}: found ${data?.length ?? 0} bytes, expected ${bytes} of a teacher's targets`, { hint: 'Delete the file: it is made again.' })
  }

  async function write(file: string, bytes: Uint8Array): Promise<void> {
    if (used + bytes.length > limitBytes) {
      throw new AppError('disk-full', `${folder}: found ${used} bytes of a teacher's targets and ${bytes.length} to come, expected at most ${limitBytes}`, {
        hint: 'Allow more disk, train on fewer windows, or choose the objective kd-topk, which keeps less of the teacher, or ce, which keeps nothing.',
      })
    }
    await writeWhole(file, bytes)
    used += bytes.length
  }

  return {
    hasState: (window, block) => isThere(stateFile(window, block), stateBytes(window.tokens.length, hidden)),
    hasTop: (window) => isThere(topFile(window), topBytes(window.tokens.length, k)),
    writeState: (window, block, state) => write(stateFile(window, block), bytesOf(state)),
    async writeTop(window, { tokens, log, rest }) {
      await write(topFile(window), Buffer.concat([bytesOf(tokens), bytesOf(log), bytesOf(rest)]))
    },
    async state(window, block) {
      return new Float32Array(await read(stateFile(window, block), stateBytes(window.tokens.length, hidden)))
    },
    async top(window) {
      const count = window.tokens.length
      const data = await read(topFile(window), topBytes(count, k))
      return { k, tokens: new Int32Array(data, 0, count * k), log: new Float32Array(data, count * k * 4, count * k), rest: new Float32Array(data, count * k * 8, count) }
    },
    usedBytes: () => used,
  }
}
