/** The corpus of malformed checkpoints: every entry is one defect and the words that must name it. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../contract/errors.ts'
import { buildGguf, buildSafetensors, gstring, le, stringEntry, tensorInfo, u32Entry } from './builders.ts'
import { openCheckpoint } from './open.ts'
import { withFolder } from './temporary-folder.ts'

const F32 = 0
const Q4_K = 12
const IQ1_S = 19
const good = { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] }
const fifteenArrays = Buffer.concat([gstring('a'), le(9, 4), ...Array.from({ length: 15 }, () => Buffer.concat([le(9, 4), le(1, 8)]))])

const corpus: Record<string, { file: Buffer; message: string; code?: string }> = {
  'safetensors header longer than the file': { file: buildSafetensors({ x: good }, 16, 10_000), message: "header length: found more than the file's" },
  'safetensors header length of 2^63': { file: buildSafetensors({ x: good }, 16, 2n ** 63n), message: "header length: found more than the file's" },
  'safetensors header above the limit': { file: buildSafetensors(`{"x":"${'a'.repeat(25_000_000)}"}`, 0), message: 'header: found 25000008 bytes, expected at most 25000000 bytes' },
  'safetensors header cut': { file: buildSafetensors({ x: good }, 16, 20), message: 'expected valid JSON' },
  'safetensors header not UTF-8': { file: buildSafetensors('{"x', Buffer.from([0xff, 0xfe]), 5), message: 'found bytes that are not UTF-8' },
  'safetensors header nested deeply': { file: buildSafetensors(`{"x":${'['.repeat(500)}${']'.repeat(500)}}`, 0), message: 'more than 64 levels of nesting' },
  'safetensors too many tensors': { file: buildSafetensors(`{${Array.from({ length: (1 << 17) + 1 }, (_, i) => `"${i}":{}`).join()}}`, 0), message: 'found 131073 tensors, expected at most 131072' },
  'safetensors name too long': { file: buildSafetensors({ ['n'.repeat(600)]: good }, 16), message: 'a tensor name of 600 bytes, expected at most 512' },
  'safetensors name twice': { file: buildSafetensors(`{"x":${JSON.stringify(good)},"\\u0078":${JSON.stringify(good)}}`, 16), message: 'found the tensor name "x" twice' },
  'safetensors entry not an object': { file: buildSafetensors({ x: 3 }, 16), message: 'tensor "x": found 3, expected an object with dtype, shape and data_offsets' },
  'safetensors unknown type': { file: buildSafetensors({ x: { ...good, dtype: 'F8_E4M3' } }, 16), message: 'tensor "x": found storage type F8_E4M3, expected one of F64, F32', code: 'unsupported-tensor' },
  'safetensors negative dimension': { file: buildSafetensors({ x: { ...good, shape: [-2, -2] } }, 16), message: 'found shape [-2,-2], expected at most 8 whole dimensions' },
  'safetensors fractional dimension': { file: buildSafetensors({ x: { ...good, shape: [2.5] } }, 16), message: 'found shape [2.5]' },
  'safetensors too many dimensions': { file: buildSafetensors({ x: { ...good, shape: [1, 1, 1, 1, 1, 1, 1, 2, 2] } }, 16), message: 'expected at most 8 whole dimensions' },
  'safetensors shape overflows': { file: buildSafetensors({ x: { ...good, shape: [2 ** 31, 2 ** 31, 2 ** 31] } }, 16), message: 'expected a shape that fits into a file' },
  'safetensors shape does not fit its bytes': { file: buildSafetensors({ x: { ...good, shape: [2, 3] } }, 16), message: 'found 16 bytes for shape [2, 3] of F32, expected 24 bytes' },
  'safetensors offsets missing': { file: buildSafetensors({ x: { dtype: 'F32', shape: [4] } }, 16), message: 'expected two whole numbers: begin and end' },
  'safetensors end before begin': { file: buildSafetensors({ x: { ...good, data_offsets: [16, 0] } }, 16), message: 'found data_offsets [16, 0], expected an end not before the beginning' },
  'safetensors truncated data': { file: buildSafetensors({ x: good }, 10), message: 'found data_offsets [0, 16], expected a range inside the 10 bytes of data that the file has' },
  'safetensors overlap': { file: buildSafetensors({ x: good, y: { ...good, data_offsets: [8, 24] } }, 24), message: 'tensor "y": found a range that begins 8 bytes before the end of "x"' },
  'safetensors hole': { file: buildSafetensors({ x: good, y: { ...good, data_offsets: [20, 36] } }, 36), message: 'tensor "y": found 4 unused bytes between it and "x"' },
  'safetensors bytes after the last tensor': { file: buildSafetensors({ x: good }, 20), message: 'found 4 bytes after the last tensor' },
  'safetensors metadata not strings': { file: buildSafetensors({ x: good, __metadata__: { a: 1 } }, 16), message: '__metadata__ "a": found number, expected a string' },
  'GGUF only a magic number': { file: Buffer.from('GGUF'), message: 'version: found 4 bytes claimed at byte 4 of a file of 4 bytes' },
  'GGUF version 1': { file: buildGguf({ version: 1 }), message: 'found GGUF version 1, expected version 2 or 3' },
  'GGUF big-endian': { file: buildGguf({ version: 0x03000000 }), message: 'found a big-endian GGUF file' },
  'GGUF tensor count of 2^60': { file: buildGguf({ tensorCount: 2n ** 60n }), message: 'number of tensors: found 1152921504606846976, expected at most 131072' },
  'GGUF key count of 2^60': { file: buildGguf({ keyCount: 2n ** 60n }), message: 'number of key-values: found 1152921504606846976, expected at most 16384' },
  'GGUF ends before its keys': { file: buildGguf({ keyCount: 2, entries: [u32Entry('a', 1)], alignment: 1 }), message: 'key 2: found 8 bytes claimed at byte 41 of a file of 41 bytes, expected a header inside the file' },
  'GGUF fewer keys than promised': { file: buildGguf({ keyCount: 5, entries: [u32Entry('a', 1)] }), message: 'found the key "" twice' },
  'GGUF key length lies': { file: buildGguf({ entries: [Buffer.concat([gstring('a', 2n ** 62n), le(4, 4), le(1, 4)])] }), message: 'length of key 1: found 4611686018427387904, expected at most 65535' },
  'GGUF string value length lies': { file: buildGguf({ entries: [Buffer.concat([gstring('a'), le(8, 4), gstring('x', 1 << 27)])] }), message: 'value of "a": found 134217728 bytes claimed at byte' },
  'GGUF key twice': { file: buildGguf({ entries: [u32Entry('a', 1), u32Entry('a', 2)] }), message: 'found the key "a" twice' },
  'GGUF unknown value type': { file: buildGguf({ entries: [Buffer.concat([gstring('a'), le(13, 4)])], data: 64 }), message: 'key "a": found value type 13, expected a value type from 0 to 12' },
  'GGUF unknown array type': { file: buildGguf({ entries: [Buffer.concat([gstring('a'), le(9, 4), le(77, 4), le(1, 8)])], data: 64 }), message: 'array "a": found element type 77' },
  'GGUF array bomb': { file: buildGguf({ entries: [Buffer.concat([gstring('a'), le(9, 4), le(8, 4), le(2n ** 50n, 8)])] }), message: 'length of array "a": found 1125899906842624, expected at most 4194304' },
  'GGUF array longer than the file': { file: buildGguf({ entries: [Buffer.concat([gstring('a'), le(9, 4), le(6, 4), le(4_000_000, 8)])] }), message: '"a": found 16000000 bytes claimed at byte' },
  'GGUF arrays in arrays': { file: buildGguf({ entries: [fifteenArrays], data: 512 }), message: 'more than 2 arrays inside each other' },
  'GGUF alignment 0': { file: buildGguf({ entries: [u32Entry('general.alignment', 0)] }), message: 'general.alignment: found 0, expected a power of two' },
  'GGUF alignment 48': { file: buildGguf({ entries: [u32Entry('general.alignment', 48)] }), message: 'general.alignment: found 48, expected a power of two' },
  'GGUF alignment of text': { file: buildGguf({ entries: [stringEntry('general.alignment', '32')] }), message: 'general.alignment: found 32, expected a power of two' },
  'GGUF five dimensions': { file: buildGguf({ tensors: [tensorInfo('x', [1, 1, 1, 1, 1], F32, 0)], data: 32 }), message: 'tensor "x": found 5 dimensions, expected at most 4' },
  'GGUF dimension of 2^60': { file: buildGguf({ tensors: [tensorInfo('x', [2n ** 60n], F32, 0)], data: 32 }), message: 'dimension of "x": found 1152921504606846976' },
  'GGUF shape overflows': { file: buildGguf({ tensors: [tensorInfo('x', [2 ** 40, 2 ** 40], F32, 0)], data: 32 }), message: 'expected a shape that fits into a file' },
  'GGUF name too long': { file: buildGguf({ tensors: [tensorInfo('n'.repeat(600), [1], F32, 0)], data: 32 }), message: 'length of name of tensor 1: found 600, expected at most 512' },
  'GGUF tensor twice': { file: buildGguf({ tensors: [tensorInfo('x', [8], F32, 0), tensorInfo('x', [8], F32, 32)], data: 64 }), message: 'found the tensor name "x" twice' },
  'GGUF type known but not read': { file: buildGguf({ tensors: [tensorInfo('x', [256], IQ1_S, 0)], data: 96 }), message: 'tensor "x": found storage type IQ1_S, expected one of F32, F16', code: 'unsupported-tensor' },
  'GGUF type unknown': { file: buildGguf({ tensors: [tensorInfo('x', [256], 99, 0)], data: 96 }), message: 'found storage type number 99 (unknown)', code: 'unsupported-tensor' },
  'GGUF rows not whole blocks': { file: buildGguf({ tensors: [tensorInfo('x', [100, 2], Q4_K, 0)], data: 288 }), message: "found rows of 100 weights, expected a multiple of Q4_K's block of 256" },
  'GGUF offset not aligned': { file: buildGguf({ tensors: [tensorInfo('x', [8], F32, 8)], data: 64 }), message: 'found offset 8, expected a multiple of the alignment 32' },
  'GGUF truncated data': { file: buildGguf({ tensors: [tensorInfo('x', [64], F32, 0)], data: 100 }), message: 'tensor "x": found bytes 64 to 320 of a file of 164 bytes, expected a range inside the file' },
  'GGUF overlap': { file: buildGguf({ tensors: [tensorInfo('x', [16], F32, 0), tensorInfo('y', [16], F32, 32)], data: 96 }), message: 'tensor "y": found a range that begins 32 bytes before the end' },
  'GGUF hole': { file: buildGguf({ tensors: [tensorInfo('x', [8], F32, 0), tensorInfo('y', [8], F32, 128)], data: 160 }), message: 'tensor "y": found 96 unused bytes before it' },
  'GGUF part of a split': { file: buildGguf({ entries: [u32Entry('split.count', 3)] }), message: 'found one of 3 parts of a split GGUF' },
}

test.each(Object.entries(corpus))('%s', async (_, { file, message, code = 'file-malformed' }) => {
  await withFolder(async (folder) => {
    const source = path.join(folder, 'model')
    await writeFile(source, file)
    const failure = await openCheckpoint(source).then(
      () => null,
      (cause: unknown) => cause,
    )
    expect(failure).toBeInstanceOf(AppError)
    expect(failure).toMatchObject({ code })
    expect(String(failure)).toContain(message)
    expect(String(failure)).toContain(source)
    expect(failure).toHaveProperty('hint')
    expect((await readFile(source)).equals(file)).toBe(true)
    expect(await readdir(folder)).toEqual(['model'])
  })
})

const shard = buildSafetensors({ x: good }, 16)
const indexes: Record<string, { index: unknown; message: string; code?: string }> = {
  'shard outside the folder': { index: { weight_map: { x: '../secret.safetensors' } }, message: 'found "../secret.safetensors", expected a file inside the model folder' },
  'shard by absolute path': { index: { weight_map: { x: '/etc/passwd' } }, message: 'found "/etc/passwd", expected a file inside the model folder' },
  'shard with a backslash': { index: { weight_map: { x: '..\\secret.safetensors' } }, message: 'expected a file inside the model folder' },
  'shard name empty': { index: { weight_map: { x: '' } }, message: 'weight_map "x": found string, expected a file name' },
  'shard missing': { index: { weight_map: { x: 'a.safetensors', y: 'c.safetensors' } }, message: 'found 1 of 2 shards, expected also c.safetensors', code: 'file-missing' },
  'tensor not in its shard': { index: { weight_map: { y: 'a.safetensors' } }, message: 'weight_map "y": found no such tensor in a.safetensors' },
  'tensor in two shards': { index: { weight_map: { x: 'a.safetensors', y: 'b.safetensors' } }, message: 'tensor "x": found the same name as in a.safetensors' },
  'no weight_map': { index: { metadata: {} }, message: 'found no "weight_map"' },
}

test.each(Object.entries(indexes))('%s', async (_, { index, message, code = 'file-malformed' }) => {
  await withFolder(async (outside) => {
    const folder = path.join(outside, 'model')
    await mkdir(folder)
    await writeFile(path.join(outside, 'secret.safetensors'), shard)
    for (const name of ['a.safetensors', 'b.safetensors']) await writeFile(path.join(folder, name), shard)
    await writeFile(path.join(folder, 'model.safetensors.index.json'), JSON.stringify(index))
    await expect(openCheckpoint(folder)).rejects.toThrow(message)
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ code })
  })
})

/** Memory a damaged header of a few KB may cost: nothing near what it claims. */
const GROWTH_BYTES_MAX = 256 << 20

test.each(['small.gguf', 'small.safetensors'])('damaged bytes of %s give an AppError or a file that can be read', async (name) => {
  const file = await readFile(path.join(import.meta.dirname, 'goldens', name))
  const header = name.endsWith('gguf') ? 2400 : 691
  await withFolder(async (folder) => {
    const source = path.join(folder, name)
    const before = process.memoryUsage().rss
    const damage = fc.record({ at: fc.nat(Math.min(header, file.length) - 1), value: fc.nat(255) })
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), fc.option(fc.nat(file.length), { freq: 8 }), async (damages, cut) => {
        const bytes = Buffer.from(file.subarray(0, cut ?? file.length))
        for (const { at, value } of damages) if (at < bytes.length) bytes[at] = value
        await writeFile(source, bytes)
        try {
          const checkpoint = await openCheckpoint(source)
          for (const tensor of checkpoint.tensors.values()) expect((await checkpoint.read(tensor.name)).length).toBe(tensor.byteLength)
          await checkpoint.close()
        } catch (cause) {
          if (!(cause instanceof AppError)) throw cause
        }
      }),
      { numRuns: 400 },
    )
    expect(process.memoryUsage().rss - before).toBeLessThan(GROWTH_BYTES_MAX)
  })
})
