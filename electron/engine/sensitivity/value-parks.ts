/** @file Where a decoder's activations wait for derivatives: in memory where all that waits at once fits a limit, else in a folder. */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { folderPark, memoryPark, type ValuePark } from '../autodiff/park.ts'
import type { DecoderSpec } from '../graph/decoder/spec.ts'
import { defaultParkedBytes } from '../session/parking.ts'
import { SAMPLES_TOGETHER } from './gradients/sample-gradients.ts'

export interface ValueParks {
  readonly open: () => ValuePark
  readonly dispose: () => Promise<void>
}

/** Most bytes that wait at once: states between blocks and their tangents, of the samples that go through together. */
export function parkedBytes({ blocks, hidden }: Pick<DecoderSpec, 'blocks' | 'hidden'>, length: number): number {
  return SAMPLES_TOGETHER * (blocks + 2) * length * hidden * 8
}

/** Parks for `bytes` of activations; `memoryBytes` is the default share of free memory where it is missing. */
export function openValueParks(bytes: number, memoryBytes: number | undefined, folder: string): ValueParks {
  const isSmall = bytes <= (memoryBytes ?? defaultParkedBytes())
  let count = 0
  return {
    open: () => (isSmall ? memoryPark() : folderPark(path.join(folder, `${count++}`))),
    dispose: () => rm(folder, { recursive: true, force: true }),
  }
}
