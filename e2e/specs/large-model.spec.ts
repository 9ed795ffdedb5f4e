/** Ten thousand tensors: opened, scrolled through to the end and sorted, with a page that stays small (`bench app` has the times); and what the page weighs at the start. */
import path from 'node:path'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { writeLargeModel } from '../large-model.ts'
import { initialScriptBytes, rendererBytes, scrollFrames } from '../page-meter.ts'
import { sampleModel } from '../texts.ts'
import { openModel, workMs } from '../wizard.ts'

test('ten thousand tensors are scrolled through and sorted, and only the rows in view are in the page', { timeout: workMs }, async ({ app, page, folder }) => {
  const model = path.join(folder, 'large')
  const tensors = await writeLargeModel(model, sampleModel)
  expect(tensors).toBeGreaterThanOrEqual(10_000)
  await openModel(app, page, model)
  const table = page.getByRole('grid', { name: 'Tensors' })
  expect(await table.getAttribute('aria-rowcount')).toBe(String(tensors + 1))

  await scrollFrames(page, 'Tensors', 600, 90)
  await expect.poll(async () => Number(await table.getByRole('row').last().getAttribute('aria-rowindex'))).toBeGreaterThan(500)
  expect(await table.getByRole('row').count()).toBeLessThan(80)

  await table.focus()
  await page.keyboard.press('End')
  await expect.poll(() => table.getByRole('row', { selected: true }).getAttribute('aria-rowindex')).toBe(String(tensors + 1))
  expect(await page.getByRole('complementary', { name: 'Details' }).textContent()).toContain('model.layers.833.')
  await page.getByRole('button', { name: 'Bytes' }).click()
  await expect.poll(() => table.getByRole('columnheader', { name: 'Bytes' }).getAttribute('aria-sort')).toBe('descending')
  expect(await rendererBytes(folder)).toBeLessThan(300e6)
})

test('the page starts with less than 400 kB of script', async () => {
  const bytes = await initialScriptBytes(path.resolve(import.meta.dirname, '../../.vite/renderer/window'))
  expect(bytes).toBeGreaterThan(50_000) // it found them
  expect(bytes).toBeLessThan(400_000)
})
