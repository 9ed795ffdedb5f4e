import { mkdtemp, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { filesOf } from './opened-files.ts'

test('only existing files count; switches and the app itself do not', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'argv-'))
  await writeFile(path.join(folder, 'a.gguf'), '')
  expect(filesOf(['electron', '.', '--user-data-dir=x', 'a.gguf', 'missing.gguf'], folder, folder)).toEqual([path.join(folder, 'a.gguf')])
})
