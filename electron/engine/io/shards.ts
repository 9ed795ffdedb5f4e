/** @file The index of a sharded checkpoint: tensor name → shard file. Shard names are untrusted paths and must stay inside the folder. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { AppError } from '../../contract/errors.ts'
import { isObject, readJson, type JsonObject } from './json.ts'
import { SHARDS_MAX, TENSORS_MAX } from './limits.ts'
import { malformed } from './problems.ts'

export const INDEX_NAME = 'model.safetensors.index.json'

export interface ShardIndex {
  /** Paths of the shards, in order of their names. */
  readonly shards: readonly string[]
  /** Tensor name → path of its shard. */
  readonly weights: ReadonlyMap<string, string>
  readonly metadata: JsonObject
}

function resolveShard(indexPath: string, tensor: string, name: unknown): string {
  const where = `${indexPath}: weight_map "${tensor}"`
  if (typeof name !== 'string' || name === '') throw malformed(where, typeof name, 'a file name')
  const folder = path.resolve(path.dirname(indexPath))
  const shard = path.resolve(folder, name)
  const inside = path.relative(folder, shard)
  if (/[\\\0]/.test(name) || inside === '' || inside.startsWith('..') || path.isAbsolute(inside) || path.isAbsolute(name)) {
    throw malformed(where, JSON.stringify(name), 'a file inside the model folder', 'The index points outside the folder: do not use this model.')
  }
  return shard
}

/** Reads and checks the index; every shard it names must exist. */
export async function readShardIndex(indexPath: string): Promise<ShardIndex> {
  const index = await readJson(indexPath)
  if (!isObject(index.weight_map)) throw malformed(indexPath, 'no "weight_map"', 'an object of tensor names and shard files')
  const entries = Object.entries(index.weight_map)
  if (entries.length > TENSORS_MAX) throw malformed(indexPath, `${entries.length} tensors`, `at most ${TENSORS_MAX}`)
  const weights = new Map(entries.map(([tensor, name]) => [tensor, resolveShard(indexPath, tensor, name)]))
  const shards = [...new Set(weights.values())].sort()
  if (shards.length > SHARDS_MAX) throw malformed(indexPath, `${shards.length} shards`, `at most ${SHARDS_MAX}`)
  const missing: string[] = []
  for (const shard of shards) if (!(await stat(shard).catch(() => null))?.isFile()) missing.push(path.basename(shard))
  if (missing.length > 0) {
    throw new AppError('file-missing', `${indexPath}: found ${shards.length - missing.length} of ${shards.length} shards, expected also ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? `, … (${missing.length} in all)` : ''}`, {
      hint: 'The download is not complete: fetch the missing files into the same folder.',
    })
  }
  return { shards, weights, metadata: isObject(index.metadata) ? index.metadata : {} }
}
