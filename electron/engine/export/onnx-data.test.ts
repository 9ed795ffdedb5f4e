import { expect, test } from 'vitest'
import { externalData } from './onnx-data.ts'

async function written(data: ReturnType<typeof externalData>, names: string[] = []): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of data.chunks((name) => names.push(name))) chunks.push(chunk)
  return Buffer.concat(chunks)
}

test('ranges are known before the bytes, aligned to 64, and hold what was promised', async () => {
  const data = externalData('weights')
  const [a, b] = data.add('first', [{ name: 'a', type: 'uint8', dims: [3] }, { name: 'b', type: 'float16', dims: [2, 2] }], () => Promise.resolve([Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4, 5, 6, 7, 8, 9, 10, 11)]))
  const [c] = data.add('second', [{ name: 'c', type: 'uint8', dims: [70] }], () => Promise.resolve([new Uint8Array(70).fill(12)]))
  expect([a.data, b.data, c.data]).toEqual([{ path: 'weights', offset: 0, length: 3 }, { path: 'weights', offset: 64, length: 8 }, { path: 'weights', offset: 128, length: 70 }])
  expect(data.sizeBytes()).toBe(198)
  const names: string[] = []
  const bytes = await written(data, names)
  expect(names).toEqual(['first', 'second'])
  expect(bytes).toHaveLength(198)
  expect([...bytes.subarray(0, 4)]).toEqual([1, 2, 3, 0])
  expect([...bytes.subarray(64, 73)]).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 0])
  expect(bytes.subarray(128).every((value) => value === 12)).toBe(true)
})

test.each([
  ['fewer', [Uint8Array.of(1)]],
  ['more', [Uint8Array.of(1, 2), Uint8Array.of(3)]],
  ['spans', [Uint8Array.of(1, 2, 3)]],
])('%s bytes than reserved is an error', async (message, pieces) => {
  const data = externalData('weights')
  data.add('layer', [{ name: 'a', type: 'uint8', dims: [2] }], () => Promise.resolve(pieces))
  await expect(written(data)).rejects.toThrow(message)
})
