import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gguf } from '@huggingface/gguf'
import { describe, expect, test } from 'vitest'
import { buildSafetensors } from './builders.ts'
import { openCheckpoint } from './open.ts'
import { withFolder } from './temporary-folder.ts'

const goldens = path.join(import.meta.dirname, 'goldens')
const sample = path.join(import.meta.dirname, '../../../assets/sample-model')

describe('GGUF', () => {
  test('reads key-values of every type', async () => {
    const checkpoint = await openCheckpoint(path.join(goldens, 'small.gguf'))
    await checkpoint.close()
    const { metadata } = checkpoint
    expect(metadata).toMatchObject({
      'general.architecture': 'llama', 't.u8': 200, 't.i8': -5, 't.u16': 65000, 't.i16': -3000, 't.u32': 4000000000, 't.i32': -2000000000, 't.f32': Math.fround(0.1), 't.f64': 0.1,
      't.bool': true, 't.string': 'naïve ☃', 't.u64': 2n ** 63n + 1n, 't.i64': -(2 ** 40), 't.strings': ['', 'a', 'Ġb', '☃'], 't.bools': [true, false],
    })
    expect(metadata['t.ints']).toEqual(Int32Array.of(1, -2, 3))
    expect(metadata['t.floats']).toEqual(Float32Array.of(0.5, -1.25))
  })

  test('agrees with @huggingface/gguf on names, shapes, ranges', async () => {
    const file = path.join(goldens, 'small.gguf')
    const checkpoint = await openCheckpoint(file)
    await checkpoint.close()
    const other = await gguf(file, { allowLocalFile: true })
    const theirs = other.tensorInfos.map(({ name, shape, offset }) => ({ name, shape: shape.map(Number).reverse(), offset: Number(other.tensorDataOffset) + Number(offset) }))
    const ours = [...checkpoint.tensors.values()].map(({ name, shape, offset }) => ({ name, shape, offset }))
    expect(ours).toEqual(theirs.sort((a, b) => a.offset - b.offset))
  })
})

describe('safetensors', () => {
  test('reads metadata, integers and rows of the stored bytes', async () => {
    const checkpoint = await openCheckpoint(path.join(goldens, 'small.safetensors'))
    expect(checkpoint.metadata).toEqual({ format: 'np', note: '☃' })
    expect(checkpoint.tensors.get('i64')?.type).toBe('I64')
    expect(await checkpoint.read('u8')).toEqual(Uint8Array.of(0, 1, 2, 3, 4))
    expect(await checkpoint.read('u8', [1, 3])).toEqual(Uint8Array.of(1, 2))
    await expect(checkpoint.readFloat('i64')).rejects.toThrow('tensor "i64": found integers (I64), expected floating-point or quantized weights')
    await expect(checkpoint.read('nothing')).rejects.toThrow('found no tensor "nothing", expected the tensors that this kind of model has')
    await checkpoint.close()
  })

  test('opens the sample model as a folder', async () => {
    const checkpoint = await openCheckpoint(sample)
    expect(checkpoint.tensors.get('model.embed_tokens.weight')).toMatchObject({ type: 'F16', shape: [4096, 256], byteLength: 2097152 })
    expect(checkpoint.tensors.size).toBe(56)
    await checkpoint.close()
  })

  test('opens shards through their index', async () => {
    await withFolder(async (folder) => {
      const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] }
      await writeFile(path.join(folder, 'a.safetensors'), buildSafetensors({ one: entry }, Buffer.from(Float32Array.of(1, 2).buffer)))
      await writeFile(path.join(folder, 'b.safetensors'), buildSafetensors({ two: entry }, Buffer.from(Float32Array.of(3, 4).buffer)))
      await writeFile(path.join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: 16 }, weight_map: { two: 'b.safetensors', one: 'a.safetensors' } }))
      const checkpoint = await openCheckpoint(folder)
      expect([...checkpoint.tensors.keys()]).toEqual(['one', 'two'])
      expect(await checkpoint.readFloat('two')).toEqual(Float32Array.of(3, 4))
      await checkpoint.close()
    })
  })
})

describe('sha256', () => {
  test('of a file is what sha256sum prints', async () => {
    const file = path.join(goldens, 'small.safetensors')
    const checkpoint = await openCheckpoint(file)
    expect(await checkpoint.sha256()).toBe(createHash('sha256').update(await readFile(file)).digest('hex'))
    await checkpoint.close()
  })

  test('of a folder changes with its config', async () => {
    await withFolder(async (folder) => {
      const hash = async (config: string): Promise<string> => {
        await writeFile(path.join(folder, 'config.json'), config)
        const checkpoint = await openCheckpoint(folder)
        const value = await checkpoint.sha256()
        await checkpoint.close()
        return value
      }
      await copyFile(path.join(goldens, 'small.safetensors'), path.join(folder, 'model.safetensors'))
      const first = await hash('{}')
      expect(await hash('{"a":1}')).not.toBe(first)
      expect(await hash('{}')).toBe(first)
    })
  })

  test('is cancelled by the signal', async () => {
    const checkpoint = await openCheckpoint(sample)
    await expect(checkpoint.sha256(AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' })
    await checkpoint.close()
  })
})

describe('what is not a checkpoint', () => {
  const pickle = Buffer.concat([Buffer.from([0x80, 2]), Buffer.alloc(30)])
  test.each([
    ['empty', Buffer.alloc(0), 'found an empty file, expected a model'],
    ['pickle', pickle, 'found a Python pickle (a PyTorch checkpoint?), expected a GGUF or safetensors file'],
    ['zip', Buffer.from('PK\x03\x04 and so on, longer than sixteen bytes', 'latin1'), 'found a ZIP archive (a PyTorch checkpoint?), expected'],
    ['pointer', Buffer.from('version https://git-lfs.example/spec/v1\noid sha256:00\n'), 'found a Git LFS pointer, expected'],
    ['text', Buffer.from('once upon a time there was a file of text'), 'found first bytes 6f6e636520757067'.slice(0, 30)],
  ])('%s', async (_, bytes, message) => {
    await withFolder(async (folder) => {
      const file = path.join(folder, 'model.bin')
      await writeFile(file, bytes)
      await expect(openCheckpoint(file)).rejects.toThrow(message)
      await expect(openCheckpoint(file)).rejects.toMatchObject({ code: 'file-malformed' })
    })
  })

  test('a missing path, an empty folder, a folder with several models', async () => {
    await withFolder(async (folder) => {
      await expect(openCheckpoint(path.join(folder, 'no'))).rejects.toMatchObject({ code: 'file-missing', message: `${path.join(folder, 'no')}: opening failed, found nothing there` })
      await expect(openCheckpoint(folder)).rejects.toThrow('found nothing, expected model.safetensors, model.safetensors.index.json or one model file')
      await mkdir(path.join(folder, 'two'))
      for (const name of ['a.gguf', 'b.gguf']) await writeFile(path.join(folder, 'two', name), '')
      await expect(openCheckpoint(path.join(folder, 'two'))).rejects.toThrow('found 2 model files (a.gguf, b.gguf), expected')
      await mkdir(path.join(folder, 'graphs'))
      for (const name of ['encoder.onnx', 'config.json', 'decoder.onnx']) await writeFile(path.join(folder, 'graphs', name), '')
      await expect(openCheckpoint(path.join(folder, 'graphs'))).rejects.toMatchObject({ message: expect.stringContaining('found 2 model files (decoder.onnx, encoder.onnx), expected') as string, hint: 'Choose one of the files.' })
    })
  })
})
