import { mkdtemp, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createFiles } from './files.ts'

test('a handle stands for the path it was given for, and its name is the base name', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'files-'))
  const file = path.join(folder, 'model.gguf')
  await writeFile(file, '')
  const files = createFiles()
  const handle = await files.adopt(file)
  expect(handle).toMatchObject({ name: 'model.gguf', kind: 'file' })
  expect(files.pathOf(handle.id)).toBe(file)
  expect((await files.adopt(folder)).kind).toBe('folder')
})

test('a path or a made-up id is not a handle', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'files-'))
  const files = createFiles()
  await files.adopt(folder)
  for (const id of [folder, '/etc/passwd', '', '__proto__']) expect(() => files.pathOf(id)).toThrow('not opened by the user')
})

test('what is not there cannot be adopted', async () => {
  await expect(createFiles().adopt(path.join(os.tmpdir(), 'no-such-model'))).rejects.toMatchObject({ code: 'file-missing' })
})
