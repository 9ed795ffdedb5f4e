/**
 * @file Parked hidden states: one slot a window, in memory while they fit the limit, else in one file of the job's folder that
 * is removed at the end. Memory does not grow with the number of windows.
 */
import { mkdir, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { randomUUID } from 'node:crypto'
import type { Park } from '../calibrate/runner.ts'
import { fileProblem } from '../io/problems.ts'

export interface ParkOptions {
  readonly windows: number
  /** Bytes of the largest slot. */
  readonly slotBytes: number
  /** Most bytes held in memory. */
  readonly memoryBytes: number
  /** Where a file goes that does not fit; the system's temporary folder unless told. */
  readonly folder?: string
}

/** A place for the hidden states of `windows` windows. */
export function openPark({ windows, slotBytes, memoryBytes, folder = tmpdir() }: ParkOptions): Park {
  return windows * slotBytes <= memoryBytes ? inMemory() : onDisk(slotBytes, folder)
}

function missing(window: number): Error {
  return new Error(`no hidden states parked for window ${window}`)
}

function inMemory(): Park {
  const slots = new Map<number, Float32Array>()
  return {
    get(window) {
      const hidden = slots.get(window)
      return hidden ? Promise.resolve(hidden) : Promise.reject(missing(window))
    },
    set(window, hidden) {
      slots.set(window, hidden)
      return Promise.resolve()
    },
    dispose() {
      slots.clear()
      return Promise.resolve()
    },
  }
}

function onDisk(slotBytes: number, folder: string): Park {
  const file = path.join(folder, `park-${randomUUID()}.tmp`)
  const lengths = new Map<number, number>()
  let opening: ReturnType<typeof open> | undefined
  const handle = async () => {
    opening ??= mkdir(folder, { recursive: true }).then(() => open(file, 'wx+'))
    return opening.catch((cause: unknown) => {
      throw fileProblem(file, 'writing', cause)
    })
  }
  return {
    async get(window) {
      const length = lengths.get(window)
      if (length === undefined) throw missing(window)
      const hidden = new Float32Array(length)
      const { bytesRead } = await (await handle()).read(new Uint8Array(hidden.buffer), 0, length * 4, window * slotBytes)
      if (bytesRead !== length * 4) throw missing(window)
      return hidden
    },
    async set(window, hidden) {
      if (hidden.byteLength > slotBytes) throw new Error(`hidden states of ${hidden.byteLength} bytes in a slot of ${slotBytes}`)
      const bytes = new Uint8Array(hidden.buffer, hidden.byteOffset, hidden.byteLength)
      await (await handle()).write(bytes, 0, bytes.length, window * slotBytes).catch((cause: unknown) => {
        throw fileProblem(file, 'writing', cause)
      })
      lengths.set(window, hidden.length)
    },
    async dispose() {
      if (opening === undefined) return
      await opening.then((opened) => opened.close(), () => undefined)
      await rm(file, { force: true })
    },
  }
}
