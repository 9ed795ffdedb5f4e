/** @file What a run depends on, as hashes, so that it is only ever continued with the same. */
import { createHash, type BinaryLike } from 'node:crypto'
import type { Adapter } from '../correct/adapter.ts'
import type { DecoderModel } from '../session/model.ts'
import type { Base } from './base/base.ts'
import type { Identity } from './checkpoint.ts'
import type { TrainOptions } from './options.ts'
import type { TrainingWindow } from './window.ts'

function hashOf(parts: Iterable<BinaryLike>): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

function bytesOf(array: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

function windowsHash(windows: readonly TrainingWindow[]): string {
  return hashOf(windows.flatMap(({ tokens, mask, isWritten }) => [`${tokens.length} ${mask?.length ?? 0}${isWritten ? ' written' : ''};`, bytesOf(tokens), ...(mask ? [mask] : [])]))
}

export interface IdentitySource {
  readonly base: Base
  readonly teacher: DecoderModel | null
  readonly adapter: Adapter
  readonly windows: readonly TrainingWindow[]
  readonly heldOut: readonly TrainingWindow[]
  readonly options: TrainOptions
}

export async function identityOf({ base, teacher, adapter, windows, heldOut, options }: IdentitySource, signal: AbortSignal): Promise<Identity> {
  return {
    model: await base.model.checkpoint.sha256(signal),
    base: await base.sha256(signal),
    teacher: teacher === null ? '' : await teacher.checkpoint.sha256(signal),
    adapter: hashOf([...adapter.values()].flatMap(({ layer, rank, alpha, a, b }) => [`${layer} ${rank} ${alpha};`, bytesOf(a), bytesOf(b)])),
    data: windowsHash(windows),
    heldOut: windowsHash(heldOut),
    options: JSON.stringify(options),
  }
}
