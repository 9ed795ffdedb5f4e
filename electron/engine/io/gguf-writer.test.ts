import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gguf } from '@huggingface/gguf'
import { expect, test } from 'vitest'
import { ggufSize, writeGguf, type GgufEntries, type GgufTensor } from './gguf-writer.ts'
import { openCheckpoint } from './open.ts'
import { withFolder } from './temporary-folder.ts'

const entries: GgufEntries = {
  'general.architecture': { type: 'string', value: 'llama' },
  'a.u8': { type: 'u8', value: 255 },
  'a.i8': { type: 'i8', value: -128 },
  'a.u16': { type: 'u16', value: 65535 },
  'a.i16': { type: 'i16', value: -32768 },
  'a.u32': { type: 'u32', value: 4294967295 },
  'a.i32': { type: 'i32', value: -2147483648 },
  'a.u64': { type: 'u64', value: 2n ** 64n - 1n },
  'a.i64': { type: 'i64', value: -(2n ** 63n) },
  'a.f32': { type: 'f32', value: 0.1 },
  'a.f64': { type: 'f64', value: 0.1 },
  'a.bool': { type: 'bool', value: true },
  'a.text': { type: 'string', value: 'naïve ☃' },
  'a.strings': { type: 'array', of: 'string', value: ['', 'Ġthe', '☃'] },
  'a.ints': { type: 'array', of: 'i32', value: Int32Array.of(1, -2) },
  'a.floats': { type: 'array', of: 'f32', value: [0.5, -1.25] },
  'a.bools': { type: 'array', of: 'bool', value: [true, false] },
  'a.longs': { type: 'array', of: 'u64', value: [1, 2n ** 60n] },
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += 7) {
    await Promise.resolve()
    yield bytes.subarray(i, i + 7)
  }
}

const q8 = Uint8Array.from({ length: 68 }, (_, i) => i)
const tensors: GgufTensor[] = [
  { name: 'x', type: 'F32', shape: [2, 3], data: () => pieces(new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)) },
  { name: 'y', type: 'Q8_0', shape: [2, 32], data: () => pieces(q8) },
  { name: 'z', type: 'F16', shape: [5], data: () => [new Uint8Array(10)] },
]

test('what is written is read back, here and by @huggingface/gguf', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'model.gguf')
    const written = await writeGguf(file, entries, tensors)
    const bytes = await readFile(file)
    expect(written).toEqual({ sizeBytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
    expect(ggufSize(entries, tensors)).toBe(bytes.length)
    expect(await readdir(folder)).toEqual(['model.gguf'])

    const checkpoint = await openCheckpoint(file)
    expect([...checkpoint.tensors.values()].map(({ name, type, shape, byteLength }) => ({ name, type, shape, byteLength }))).toEqual([
      { name: 'x', type: 'F32', shape: [2, 3], byteLength: 24 },
      { name: 'y', type: 'Q8_0', shape: [2, 32], byteLength: 68 },
      { name: 'z', type: 'F16', shape: [5], byteLength: 10 },
    ])
    expect(await checkpoint.readFloat('x', [1, 2])).toEqual(Float32Array.of(4, 5, 6))
    expect(await checkpoint.read('y')).toEqual(q8)
    await checkpoint.close()

    const { metadata } = await gguf(file, { allowLocalFile: true })
    for (const [key, entry] of Object.entries(entries)) {
      const value: unknown = Reflect.get(metadata, key)
      const plain = entry.type === 'array' ? Array.from<unknown>(entry.value) : entry.value
      if (entry.type === 'f32') expect(value, key).toBe(Math.fround(0.1))
      else if (entry.type === 'u64' || entry.type === 'i64') expect(value, key).toBe(entry.value)
      else if (key === 'a.longs') expect(value).toEqual([1n, 2n ** 60n])
      else expect(value, key).toEqual(plain)
    }
  })
})

test('the same input gives the same bytes', async () => {
  await withFolder(async (folder) => {
    const first = await writeGguf(path.join(folder, 'a'), entries, tensors)
    expect(await writeGguf(path.join(folder, 'b'), entries, tensors)).toEqual(first)
  })
})

const failing: GgufTensor[] = [
  ...tensors,
  {
    name: 'broken', type: 'F32', shape: [8],
    data: async function* () {
      await Promise.resolve()
      yield new Uint8Array(16)
      throw new Error('the source went away')
    },
  },
]

test('a failure or a cancel leaves nothing behind', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'model.gguf')
    await expect(writeGguf(file, entries, failing)).rejects.toThrow('the source went away')
    expect(await readdir(folder)).toEqual([])
    await expect(writeGguf(file, entries, tensors, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
    expect(await readdir(folder)).toEqual([])
    await expect(writeGguf(file, {}, [{ name: 'short', type: 'F32', shape: [8], data: () => [new Uint8Array(31)] }])).rejects.toThrow('short gave 31 bytes, its shape takes 32')
    expect(await readdir(folder)).toEqual([])
  })
})

test('a file that is there is not touched', async () => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'model.gguf')
    await writeFile(file, 'precious')
    await expect(writeGguf(file, entries, tensors)).rejects.toMatchObject({ code: 'file-exists' })
    expect(await readFile(file, 'utf8')).toBe('precious')
    await writeGguf(file, entries, tensors, { overwrite: true })
    expect((await stat(file)).size).toBe(ggufSize(entries, tensors))
  })
})

test('a folder that is missing, a file in its place', async () => {
  await withFolder(async (folder) => {
    await expect(writeGguf(path.join(folder, 'no', 'model.gguf'), entries, tensors)).rejects.toMatchObject({ code: 'file-missing' })
    await writeFile(path.join(folder, 'plain'), '')
    await expect(writeGguf(path.join(folder, 'plain', 'model.gguf'), entries, tensors)).rejects.toMatchObject({ code: 'file-missing' })
  })
})

/** Writing to this device fails as a full disk does; the temporary file is put there. */
test.each(['/dev/full'].filter(existsSync))('a full disk (%s)', async (device) => {
  await withFolder(async (folder) => {
    const file = path.join(folder, 'model.gguf')
    await symlink(device, path.join(folder, `.model.gguf.${process.pid}.partial`))
    await expect(writeGguf(file, entries, tensors)).rejects.toMatchObject({ code: 'disk-full', message: `${file}: writing failed, found no space left` })
    expect(await readdir(folder)).toEqual([])
  })
})
