import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { intFormats, intName } from '../budget/option-bytes.ts'
import type { PackedLayoutName } from '../../contract/recipe.ts'
import { buildSafetensors } from './builders.ts'
import { openCheckpoint } from './open.ts'
import { packPlanes, packedBytes, packedPlanes, type PackedShape } from './packed-layouts.ts'
import expected from './goldens/packed.json' with { type: 'json' }
import { withFolder } from './temporary-folder.ts'

const goldens = path.join(import.meta.dirname, 'goldens')
const folders: [string, PackedLayoutName][] = [['packed-gptq', 'gptq'], ['packed-gptq-v1', 'gptq'], ['packed-compressed', 'compressed-tensors']]
const names = Object.keys(expected)

function hash(values: Float32Array): string {
  return createHash('sha256').update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex')
}

describe.each(folders)('%s', (folder, layout) => {
  test.each(Object.entries(expected))('%s gives the weights that were packed', async (name, sha256) => {
    const checkpoint = await openCheckpoint(path.join(goldens, folder))
    const values = await checkpoint.readFloat(`model.${name}.weight`)
    expect(hash(values)).toBe(sha256)
    expect(await checkpoint.readFloat(`model.${name}.weight`, [5, 9])).toEqual(values.slice(5 * 128, 9 * 128))
    expect(await checkpoint.readFloat('model.norm.weight')).toEqual(Float32Array.of(0, 1, 2, 3))
    await checkpoint.close()
  })

  test('shows layers in place of their parts', async () => {
    const checkpoint = await openCheckpoint(path.join(goldens, folder))
    expect([...checkpoint.tensors.keys()].sort()).toEqual([...names.map((name) => `model.${name}.weight`), 'model.norm.weight'].sort())
    for (const name of names) {
      // one group of 128 is a whole row here; the GPTQ layout stores a zero point for symmetric layers too
      const type = (layout === 'gptq' ? name.replace('-sym', '') : name).replace('g128', 'channel')
      const info = checkpoint.tensors.get(`model.${name}.weight`)
      expect(info).toMatchObject({ type, shape: [32, 128] })
      expect((await checkpoint.read(`model.${name}.weight`)).length).toBe(info?.byteLength)
    }
    await checkpoint.close()
  })
})

const Header = z.record(z.string(), z.object({ dtype: z.string(), shape: z.array(z.number()), data_offsets: z.tuple([z.number(), z.number()]) }))

/** The stored bytes of every tensor of a safetensors file, parsed here independently of the reader. */
async function storedTensors(file: string): Promise<Map<string, { dtype: string; shape: number[]; bytes: Uint8Array }>> {
  const bytes = await readFile(file)
  const length = Number(bytes.readBigUInt64LE())
  const header = Header.parse(JSON.parse(bytes.subarray(8, 8 + length).toString()))
  return new Map(Object.entries(header).map(([name, { dtype, shape, data_offsets: [begin, end] }]) => [name, { dtype, shape, bytes: Uint8Array.from(bytes.subarray(8 + length + begin, 8 + length + end)) }]))
}

test.each([['packed-gptq', 'gptq'], ['packed-compressed', 'compressed-tensors']] as const)('packing what was read from %s gives the very planes again', async (folder, layout) => {
  const stored = await storedTensors(path.join(goldens, folder, 'model.safetensors'))
  const checkpoint = await openCheckpoint(path.join(goldens, folder))
  for (const name of names) {
    const type = checkpoint.tensors.get(`model.${name}.weight`)?.type
    const format = [...intFormats.values()].find((one) => intName(one) === type)
    if (!format) throw new Error(`${name} is a ${String(type)}`)
    const shape: PackedShape = { rows: 32, cols: 128, format }
    const planes = await packPlanes(layout, shape, await checkpoint.read(`model.${name}.weight`))
    expect([...planes.keys()].sort()).toEqual(packedPlanes(layout, shape).map(({ suffix }) => suffix).sort())
    for (const { suffix, type: dtype, shape: dims } of packedPlanes(layout, shape)) {
      const golden = stored.get(`model.${name}.${suffix}`)
      expect({ dtype, shape: dims }, `${name} ${suffix}`).toEqual({ dtype: golden?.dtype, shape: golden?.shape })
      expect(Buffer.compare(planes.get(suffix) ?? new Uint8Array(0), golden?.bytes ?? new Uint8Array(1)), `${name} ${suffix}`).toBe(0)
    }
  }
  await checkpoint.close()
})

test('a symmetric layer in the GPTQ layout has the middle as its zero point', async () => {
  const shape: PackedShape = { rows: 32, cols: 64, format: { bits: 4, group: 32, isSymmetric: true } }
  const planes = await packPlanes('gptq', shape, new Uint8Array(packedBytes(shape)))
  expect(new Uint32Array(planes.get('qzeros')?.slice().buffer ?? new ArrayBuffer(4))).toEqual(new Uint32Array(8).fill(0x88888888))
})

describe('packed folders that cannot be read', () => {
  const part = (dtype: string, shape: number[], begin: number, end: number): object => ({ dtype, shape, data_offsets: [begin, end] })
  const words = { 'a.g_idx': part('I32', [64], 0, 256), 'a.qweight': part('I32', [8, 32], 256, 1280), 'a.qzeros': part('I32', [1, 4], 1280, 1296), 'a.scales': part('F16', [1, 32], 1296, 1360) }
  const order = Buffer.alloc(1360)
  order.writeInt32LE(1, 0)
  const cases: [string, object, Buffer | number, object, string, string][] = [
    ['activation order', words, order, { quant_method: 'gptq' }, 'found groups in the order of activations, expected groups of neighbouring weights', 'unsupported-tensor'],
    ['another method', words, 1360, { quant_method: 'awq' }, 'quantization_config: found method "awq", expected gptq or compressed-tensors', 'unsupported-tensor'],
    ['another format', words, 1360, { quant_method: 'compressed-tensors', format: 'float-quantized' }, 'found method "compressed-tensors" (float-quantized)', 'unsupported-tensor'],
    ['5 bits', { ...words, 'a.g_idx': part('I32', [60], 0, 240), 'a.qweight': part('I32', [8, 32], 240, 1264), 'a.qzeros': part('I32', [1, 4], 1264, 1280), 'a.scales': part('F16', [1, 32], 1280, 1344) }, 1344, { quant_method: 'gptq' }, 'found 8 words of codes for 60 weights, expected 2, 3, 4, 8 bits', 'unsupported-tensor'],
    ['no zero points', { 'a.g_idx': words['a.g_idx'], 'a.qweight': words['a.qweight'], 'a.scales': part('F16', [1, 32], 1280, 1344) }, 1344, { quant_method: 'gptq' }, 'tensor "a.qzeros": found nothing, expected I32 [1, 4]', 'file-malformed'],
    ['zero points of another shape', { ...words, 'a.qzeros': part('I32', [2, 2], 1280, 1296) }, 1360, { quant_method: 'gptq' }, 'tensor "a.qzeros": found I32 [2, 2], expected I32 [1, 4]', 'file-malformed'],
  ]
  test.each(cases)('%s', async (_, header, data, quantization, message, code) => {
    await withFolder(async (folder) => {
      await writeFile(path.join(folder, 'model.safetensors'), buildSafetensors({ ...header }, data))
      await writeFile(path.join(folder, 'config.json'), JSON.stringify({ quantization_config: quantization }))
      await expect(openCheckpoint(folder)).rejects.toThrow(message)
      await expect(openCheckpoint(folder)).rejects.toMatchObject({ code })
    })
  })
})
