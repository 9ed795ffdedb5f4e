import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import { openGoldens } from './goldens/goldens.ts'
import { promptsOf, writeSamples } from './sampler.ts'

it('writes the same continuations with the weights of one block in memory, and leaves no file', async () => {
  const goldens = await openGoldens()
  const folder = await mkdtemp(path.join(tmpdir(), 'halftone-samples-'))
  const tokenizer = { eos: null, decode: (ids: ArrayLike<number>) => Array.from(ids).join(' ') }
  const written = (memoryBytes: number): Promise<string[]> => writeSamples(goldens.base, { adapter: goldens.adapter }, tokenizer, promptsOf(goldens.windows, 2), { tokens: 4, memoryBytes, folder, threads: 1 }, silent)
  const [limited, free] = [await written(0), await written(Infinity)]
  expect(limited).toEqual(free)
  expect(free.map((text) => text.split(' ').length)).toEqual([4, 4])
  expect(await readdir(folder)).toEqual([])
  await goldens.model.close()
  await rm(folder, { recursive: true })
})
