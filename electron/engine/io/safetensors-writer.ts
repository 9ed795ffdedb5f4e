/** @file Writes safetensors: one file, or shards of limited size with an index. Tensors are streamed; sizes are known beforehand. */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { assert } from '../../contract/errors.ts'
import { INDEX_NAME } from './shards.ts'
import { elementCount, safetensorsTypes, type SafetensorsType } from './types.ts'
import { checkAbsent, writeWhole, type Chunks, type WriteOptions, type Written } from './write-file.ts'

export interface SafetensorsTensor {
  readonly name: string
  readonly type: SafetensorsType
  /** Outermost dimension first. */
  readonly shape: readonly number[]
  /** The stored bytes, in any number of pieces; called once, when the tensor's turn comes. */
  readonly data: () => Chunks
}
export type SafetensorsTensorInfo = Omit<SafetensorsTensor, 'data'>

export interface ShardPlan<T extends SafetensorsTensorInfo> {
  readonly name: string
  readonly tensors: readonly T[]
  readonly sizeBytes: number
}

/** What transformers looks for to know that the arrays are laid out as PyTorch's. */
const metadata = { format: 'pt' }

function tensorBytes({ type, shape, name }: SafetensorsTensorInfo): number {
  const elements = elementCount(shape)
  assert(elements !== null, `${name}: [${shape.join(', ')}] is too large`)
  return elements * safetensorsTypes[type].bytes
}

/** u64 length and JSON header, padded with spaces to a multiple of 8. */
function header(tensors: readonly SafetensorsTensorInfo[]): Uint8Array {
  let offset = 0
  const entries = tensors.map((tensor) => {
    const begin = offset
    offset += tensorBytes(tensor)
    return [tensor.name, { dtype: tensor.type, shape: tensor.shape, data_offsets: [begin, offset] }] as const
  })
  const json = Buffer.from(JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) }))
  const length = Math.ceil(json.length / 8) * 8
  const bytes = Buffer.alloc(8 + length, ' ')
  bytes.writeBigUInt64LE(BigInt(length))
  json.copy(bytes, 8)
  return bytes
}

/** Divides tensors into shards of at most `maxShardBytes` of data each (a larger tensor gets one of its own), in the order given. */
export function planShards<T extends SafetensorsTensorInfo>(tensors: readonly T[], maxShardBytes: number): ShardPlan<T>[] {
  const groups: T[][] = []
  let bytes = Infinity
  for (const tensor of tensors) {
    const size = tensorBytes(tensor)
    if (bytes + size > maxShardBytes) {
      groups.push([])
      bytes = 0
    }
    groups.at(-1)?.push(tensor)
    bytes += size
  }
  const digits = (n: number): string => String(n).padStart(5, '0')
  return groups.map((group, i) => ({
    name: groups.length === 1 ? 'model.safetensors' : `model-${digits(i + 1)}-of-${digits(groups.length)}.safetensors`,
    tensors: group,
    sizeBytes: header(group).length + group.reduce((sum, tensor) => sum + tensorBytes(tensor), 0),
  }))
}

/** The index file of several shards; null for one. */
export function shardIndex(shards: readonly ShardPlan<SafetensorsTensorInfo>[]): Uint8Array | null {
  if (shards.length === 1) return null
  const total = shards.flatMap(({ tensors }) => tensors).reduce((sum, tensor) => sum + tensorBytes(tensor), 0)
  const weights = Object.fromEntries(shards.flatMap(({ name, tensors }) => tensors.map((tensor) => [tensor.name, name] as const)))
  return Buffer.from(`${JSON.stringify({ metadata: { total_size: total }, weight_map: weights }, null, 2)}\n`)
}

/** Exact bytes of all weight files together (shards and index) that `writeSafetensors` makes. */
export function safetensorsSize(tensors: readonly SafetensorsTensorInfo[], maxShardBytes: number): number {
  const shards = planShards(tensors, maxShardBytes)
  return shards.reduce((sum, { sizeBytes }) => sum + sizeBytes, shardIndex(shards)?.length ?? 0)
}

async function* shardPieces(tensors: readonly SafetensorsTensor[]): AsyncGenerator<Uint8Array> {
  yield header(tensors)
  for (const tensor of tensors) {
    let bytes = 0
    for await (const chunk of tensor.data()) {
      bytes += chunk.length
      yield chunk
    }
    assert(bytes === tensorBytes(tensor), `${tensor.name} gave ${bytes} bytes, its shape takes ${tensorBytes(tensor)}`)
  }
}

/** One file of all tensors, for files that have a name of their own. */
export function safetensorsFile(tensors: readonly SafetensorsTensor[]): { readonly sizeBytes: number; readonly chunks: () => Chunks } {
  return { sizeBytes: safetensorsSize(tensors, Number.MAX_SAFE_INTEGER), chunks: () => shardPieces(tensors) }
}

/** Writes the tensors into `folder`; where one file fails, those already written are removed. Returns what was written by file name. */
export async function writeSafetensors(
  folder: string,
  tensors: readonly SafetensorsTensor[],
  options: WriteOptions & { readonly maxShardBytes?: number } = {},
): Promise<ReadonlyMap<string, Written>> {
  const shards = planShards(tensors, options.maxShardBytes ?? DEFAULT_SHARD_BYTES)
  const index = shardIndex(shards)
  const files = [...shards.map(({ name, tensors: own }) => ({ name, chunks: () => shardPieces(own) })), ...(index ? [{ name: INDEX_NAME, chunks: () => [index] }] : [])]
  if (options.overwrite !== true) for (const { name } of files) await checkAbsent(path.join(folder, name))
  const written = new Map<string, Written>()
  try {
    for (const { name, chunks } of files) written.set(name, await writeWhole(path.join(folder, name), chunks(), options))
  } catch (cause) {
    for (const name of written.keys()) await rm(path.join(folder, name), { force: true })
    throw cause
  }
  return written
}

/** Shard size of transformers' own saving. */
export const DEFAULT_SHARD_BYTES = 5_000_000_000
