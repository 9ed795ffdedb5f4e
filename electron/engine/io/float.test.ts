import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { openCheckpoint } from './open.ts'

const goldens = path.join(import.meta.dirname, 'goldens')
const Tensors = z.record(z.string(), z.object({ shape: z.array(z.number()), values: z.array(z.number()) }))
const expected = z.object({ gguf: Tensors, safetensors: Tensors }).parse(JSON.parse(await readFile(path.join(goldens, 'small.json'), 'utf8')))

test('reads the values that the gguf package dequantizes, for every type', async () => {
  const checkpoint = await openCheckpoint(path.join(goldens, 'small.gguf'))
  expect([...checkpoint.tensors.keys()].sort()).toEqual(Object.keys(expected.gguf).sort())
  for (const [name, { shape, values }] of Object.entries(expected.gguf)) {
    expect(checkpoint.tensors.get(name)?.shape, name).toEqual(shape)
    expect(await checkpoint.readFloat(name), name).toEqual(Float32Array.from(values))
    const second = values.slice(values.length / shape[0])
    expect(await checkpoint.readFloat(name, [1, shape[0]]), name).toEqual(Float32Array.from(second))
  }
  await checkpoint.close()
})

test('reads the values that the safetensors package wrote', async () => {
  const checkpoint = await openCheckpoint(path.join(goldens, 'small.safetensors'))
  for (const [name, { shape, values }] of Object.entries(expected.safetensors)) {
    expect(checkpoint.tensors.get(name)?.shape, name).toEqual(shape)
    expect(await checkpoint.readFloat(name), name).toEqual(Float32Array.from(values))
  }
  await checkpoint.close()
})
