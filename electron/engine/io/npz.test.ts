import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openBytes } from './byte-file.ts'
import { openNpy } from './npy.ts'
import { openNpz } from './npz.ts'
import { withFolder } from './temporary-folder.ts'

const golden = (name: string): string => path.join(import.meta.dirname, 'goldens', name)
const x = Float32Array.from({ length: 24 }, (_, at) => (at - 5) / 8)

test('stored and deflated archives of NumPy give its values, types and shapes', async () => {
  for (const name of ['arrays.npz', 'arrays-deflated.npz']) {
    const { arrays, close } = await openNpz(golden(name))
    expect(await arrays.get('x')?.rows(0, 4)).toEqual({ type: 'float32', dims: [4, 2, 3], data: x })
    expect(await arrays.get('x')?.rows(2, 1)).toEqual({ type: 'float32', dims: [1, 2, 3], data: x.subarray(12, 18) })
    expect(await arrays.get('ids')?.rows(3, 1)).toEqual({ type: 'int64', dims: [1, 2], data: BigInt64Array.of(3n, 4n) })
    await close()
  }
  const { arrays, close } = await openNpz(golden('arrays.npz'))
  expect(await arrays.get('labels')?.rows(0, 4)).toMatchObject({ type: 'int32', data: Int32Array.of(0, 2, 1, 1) })
  expect(await arrays.get('scalar')?.rows(0, 1)).toMatchObject({ type: 'float64', dims: [], data: Float64Array.of(2.5) })
  await close()
})

test('a single array, and what is wrong with damaged ones', () => withFolder(async (folder) => {
  const file = await openBytes(golden('array.npy'))
  const array = await openNpy({ where: 'array.npy', sizeBytes: file.sizeBytes, read: (offset, length) => file.read(offset, length, 'array') })
  expect(await array.rows(0, 4)).toEqual({ type: 'float32', dims: [4, 2, 3], data: x })
  await file.close()

  const bytes = readFileSync(golden('array.npy'))
  const open = (changed: Uint8Array): Promise<unknown> => openNpy({ where: 'a.npy', sizeBytes: changed.length, read: (offset, length) => Promise.resolve(changed.subarray(offset, offset + length)) })
  const text = (from: string, to: string): Buffer => Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1')
  await expect(open(bytes.subarray(0, 200))).rejects.toThrow(/found 72 bytes of values, expected 96 for the shape \[4, 2, 3\]/)
  await expect(open(text('<f4', '|O4'))).rejects.toThrow(/type \|O4/)
  await expect(open(text('False', 'True '))).rejects.toThrow(/Fortran order/)
  await expect(open(text('(4, 2, 3)', '(4, 9, 3)'))).rejects.toThrow(/expected 432/)
  await expect(open(Buffer.from('no array at all'))).rejects.toThrow(/no NumPy array/)

  const zip = readFileSync(golden('arrays-deflated.npz'))
  const damaged = async (change: (copy: Buffer) => Buffer): Promise<unknown> => {
    writeFileSync(path.join(folder, 'x.npz'), change(Buffer.from(zip)))
    const { arrays } = await openNpz(path.join(folder, 'x.npz'))
    return arrays.get('x')?.rows(0, 4)
  }
  await expect(damaged((copy) => copy.subarray(0, 100))).rejects.toThrow(/no ZIP directory/)
  await expect(damaged((copy) => copy.fill(7, 60, 90))).rejects.toThrow(/cannot be unpacked|no NumPy array|bytes when unpacked/)
}))
