import { mkdir, readFile, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from './open.ts'
import { safetensorsSize, writeSafetensors, type SafetensorsTensor } from './safetensors-writer.ts'
import { withFolder } from './temporary-folder.ts'

function tensor(name: string, values: number[]): SafetensorsTensor {
  return { name, type: 'F32', shape: [values.length], data: () => [new Uint8Array(Float32Array.from(values).buffer)] }
}
const tensors = [tensor('a', [1, 2]), tensor('b', [3]), tensor('c', [4, 5, 6, 7]), tensor('d', [8])]

async function folderBytes(folder: string): Promise<number> {
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(path.join(folder, name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

test('one file: bytes as the format has them', async () => {
  await withFolder(async (folder) => {
    await writeSafetensors(folder, tensors)
    expect(await readdir(folder)).toEqual(['model.safetensors'])
    const bytes = await readFile(path.join(folder, 'model.safetensors'))
    const length = Number(bytes.readBigUInt64LE())
    expect(length % 8).toBe(0)
    expect(JSON.parse(bytes.subarray(8, 8 + length).toString())).toEqual({
      __metadata__: { format: 'pt' },
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      b: { dtype: 'F32', shape: [1], data_offsets: [8, 12] },
      c: { dtype: 'F32', shape: [4], data_offsets: [12, 28] },
      d: { dtype: 'F32', shape: [1], data_offsets: [28, 32] },
    })
    expect(bytes.length).toBe(8 + length + 32)
    expect(safetensorsSize(tensors, 1000)).toBe(bytes.length)
  })
})

test('shards: at most so many bytes each, read back through the index', async () => {
  await withFolder(async (folder) => {
    await writeSafetensors(folder, tensors, { maxShardBytes: 12 })
    expect((await readdir(folder)).sort()).toEqual([
      'model-00001-of-00003.safetensors', 'model-00002-of-00003.safetensors', 'model-00003-of-00003.safetensors', 'model.safetensors.index.json',
    ])
    const checkpoint = await openCheckpoint(folder)
    expect([...checkpoint.tensors.values()].map(({ name, file }) => [name, path.basename(file)[10]])).toEqual([['a', '1'], ['b', '1'], ['c', '2'], ['d', '3']])
    expect(await checkpoint.readFloat('c')).toEqual(Float32Array.of(4, 5, 6, 7))
    expect(checkpoint.metadata).toEqual({ total_size: 32 })
    await checkpoint.close()
    expect(await folderBytes(folder)).toBe(safetensorsSize(tensors, 12))
  })
})

test('a failure in a later shard removes the earlier ones', async () => {
  await withFolder(async (folder) => {
    const broken: SafetensorsTensor = { ...tensor('e', [1]), data: () => { throw new Error('gone') } }
    await expect(writeSafetensors(folder, [...tensors, broken], { maxShardBytes: 12 })).rejects.toThrow('gone')
    expect(await readdir(folder)).toEqual([])
  })
})

test('a shard that is there already is not touched', async () => {
  await withFolder(async (folder) => {
    await mkdir(path.join(folder, 'model-00002-of-00003.safetensors'))
    await expect(writeSafetensors(folder, tensors, { maxShardBytes: 12 })).rejects.toMatchObject({ code: 'file-exists' })
    expect(await readdir(folder)).toEqual(['model-00002-of-00003.safetensors'])
  })
})
