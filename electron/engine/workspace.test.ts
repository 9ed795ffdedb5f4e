import { copyFile, mkdir, readdir, utimes } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../contract/events.ts'
import { withFolder } from './io/temporary-folder.ts'
import { createWorkspace, type Opened } from './workspace.ts'

const golden = path.join(import.meta.dirname, 'session/goldens/gpt2')

test('a model stays open between calls, and a changed file is read again', () => withFolder(async (folder) => {
  const copy = path.join(folder, 'model')
  await mkdir(copy)
  for (const name of await readdir(golden)) await copyFile(path.join(golden, name), path.join(copy, name))
  const workspace = createWorkspace()
  const open = (): Promise<Opened> => workspace.withModel(copy, silent, (opened) => Promise.resolve(opened))
  const first = await open()
  expect(await open()).toBe(first)
  await utimes(path.join(copy, 'config.json'), new Date(0), new Date(0))
  expect(await open()).not.toBe(first)
  await workspace.close()
}))

test('curves of the same costs are solved once, whatever the layers are called', async () => {
  const workspace = createWorkspace()
  const group = (name: string, loss: number) => ({ name, members: [name], options: [{ option: 'Q4_K', cost: 4, loss }, { option: 'Q8_0', cost: 8, loss: 0.1 }] })
  const curve = await workspace.curve([group('a', 1)])
  expect(await workspace.curve([group('b', 1)])).toBe(curve)
  expect(await workspace.curve([group('a', 2)])).toEqual([{ cost: 4, loss: 2 }, { cost: 8, loss: 0.1 }])
})
