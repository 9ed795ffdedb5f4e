import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { Recipe } from '../../contract/recipe.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { openJob } from './job.ts'

const recipe = Recipe.parse({
  version: 1, tool: 't', model: { path: 'm', sha256: 'x' }, data: null, target: 'gguf', budget: { kind: 'bits', value: 4 }, metric: 'kl', rounder: 'search', memoryBytes: 1000,
  choice: [], predicted: { sizeBytes: 1, bitsPerWeight: 4, peakMemoryBytes: 1, elapsedMs: 1, loss: 1 },
})

test('a job goes on with another limit of memory and keeps what it finished, but not with another plan', () => withFolder(async (folder) => {
  const job = await openJob(path.join(folder, 'job'), recipe, false, silent)
  await job.writeTensor({ name: 'a', option: 'Q4_K', bytes: 2, error: 0 }, Uint8Array.of(1, 2))
  const again = await openJob(job.folder, { ...recipe, memoryBytes: 250 }, true, silent)
  expect(await again.finished('a', 'Q4_K')).toMatchObject({ bytes: 2 })
  expect(again.recipe.memoryBytes).toBe(250)
  await expect(openJob(job.folder, { ...recipe, seed: 1 }, true, silent)).rejects.toThrow('has another recipe')
}))
