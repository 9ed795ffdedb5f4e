/** A newcomer's way: one gesture, then only the primary button of each step, to a verified file. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { dropFiles } from '../launch.ts'
import { copySample } from '../texts.ts'
import { acceptDefaults, railLink, workMs } from '../wizard.ts'

/** The file that the Export step says was written. */
async function exportedFile(page: Page): Promise<string> {
  await page.getByText('Written and verified').waitFor()
  const code = await page.getByRole('region', { name: 'Loading with llama.cpp' }).textContent()
  return /-m "([^"]+)"/.exec(code ?? '')?.[1] ?? ''
}

test('the example: all seven steps, with the seconds they took', { timeout: 2 * workMs }, async ({ page, annotate }) => {
  const begun = performance.now()
  await page.getByRole('button', { name: 'Try the example' }).click()
  await acceptDefaults(page)
  const seconds = `the example took ${((performance.now() - begun) / 1000).toFixed(0)} s`
  console.log(seconds)
  await annotate(seconds)
  expect(await exportedFile(page)).toMatch(/\.gguf$/)
})

test('a dropped folder without any data of one’s own', { timeout: 2 * workMs }, async ({ page, folder }) => {
  const model = path.join(folder, 'my-model')
  await copySample(model)
  await dropFiles(page.getByText('Drop a model here'), [model])
  await acceptDefaults(page)
  const file = await exportedFile(page)
  const { size } = await stat(file)
  expect(size).toBeGreaterThan(2_000_000)
  expect(size).toBeLessThan((await stat(path.join(model, 'model.safetensors'))).size * 0.35) // 4.5 of 16 bits, and the tokenizer
  await railLink(page, 'Data').click()
  await page.getByRole('heading', { name: 'calibration.txt' }).waitFor() // what it went on with is said
})
