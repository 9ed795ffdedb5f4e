import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putInPlace } from './put-in-place.ts'

let folder: string
const at = (...names: string[]): string => path.join(folder, ...names)

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-place-'))
  for (const name of ['model', 'elsewhere']) await mkdir(at(name))
  await writeFile(at('model', 'net.onnx'), '')
  await writeFile(at('elsewhere', 'download.bin'), 'weights')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('the file stands beside the model under the name it is looked for by, and the found one stays', async () => {
  await symlink(at('elsewhere', 'download.bin'), at('link'))
  await putInPlace(at('link'), at('model', 'net.data'), at('model', 'net.onnx'))
  expect((await stat(at('model', 'net.data'))).isFile()).toBe(true)
  for (const name of [['model', 'net.data'], ['elsewhere', 'download.bin']]) expect(await readFile(at(...name), 'utf8')).toBe('weights')
})

test('nothing is put outside the model’s folder, by a path or by a link, and nothing is replaced', async () => {
  await symlink(at('elsewhere'), at('model', 'sub'))
  for (const missing of [at('elsewhere', 'x'), at('model', '..', 'x'), at('model', 'sub', 'x')]) {
    await expect(putInPlace(at('elsewhere', 'download.bin'), missing, at('model', 'net.onnx'))).rejects.toMatchObject({ code: 'bad-request' })
    await expect(putInPlace(at('elsewhere', 'download.bin'), missing, at('model'))).rejects.toMatchObject({ code: 'bad-request' })
    await expect(stat(missing)).rejects.toThrow('ENOENT')
  }
  await writeFile(at('model', 'net.data'), 'mine')
  await expect(putInPlace(at('elsewhere', 'download.bin'), at('model', 'net.data'), at('model', 'net.onnx'))).rejects.toThrow('could not be put there')
  expect(await readFile(at('model', 'net.data'), 'utf8')).toBe('mine')
})
