import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { readJson, writeJson } from './json-file.ts'

const Shape = z.object({ n: z.number() })

test('what was written is read back, and nothing else is left in the folder', async () => {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'json-'))
  const file = path.join(folder, 'a.json')
  await writeJson(file, { n: 3 })
  expect(await readJson(file, Shape)).toEqual({ n: 3 })
  expect(await readFile(file, 'utf8')).toBe('{\n  "n": 3\n}\n')
  expect(await readdir(folder)).toEqual(['a.json'])
})

test.each([['missing', undefined], ['cut short', '{"n": '], ['of another shape', '{"n": "3"}']])('a file that is %s reads as undefined', async (_name, text) => {
  const file = path.join(await mkdtemp(path.join(os.tmpdir(), 'json-')), 'a.json')
  if (text !== undefined) await writeFile(file, text)
  expect(await readJson(file, Shape)).toBeUndefined()
})
