/** Without data: layers measured by their weights alone, a cell seen closely, a verified file judged on the bundled text. */
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { measureAll, openModel, startRun, stepHeading, workMs } from '../wizard.ts'

test('a verified GGUF without any text', { timeout: 2 * workMs }, async ({ app, page }) => {
  await openModel(app, page)
  await page.getByRole('button', { name: 'Continue to data' }).click()
  await page.getByRole('button', { name: 'Continue without data' }).click()
  await page.getByText(/^Going on without data/).waitFor()
  await page.getByRole('button', { name: 'Continue to sensitivity' }).click()
  await stepHeading(page, 'Sensitivity').waitFor()
  await page.getByLabel('Rounding').selectOption('nearest')
  await measureAll(page)

  await page.getByRole('gridcell', { name: /^blocks\.0\.q, Q4_K/ }).click()
  await page.getByRole('figure', { name: /^One group of 32 weights/ }).waitFor()
  await page.getByRole('figure', { name: /^The weights move by \d/ }).waitFor()

  await page.getByRole('button', { name: 'Continue to bit budget' }).click()
  await page.getByRole('figure', { name: /This plan/ }).waitFor()
  await expect.poll(() => page.getByRole('radio', { name: 'Adapters, fitted' }).getAttribute('aria-disabled')).toBe('true')
  await startRun(page)
  await page.getByText(/^Written and verified: /).waitFor({ timeout: workMs })
})
