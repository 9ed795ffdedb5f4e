/** The whole wizard by mouse: from the start screen to a verified file. */
import { stat } from 'node:fs/promises'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { writeTexts } from '../texts.ts'
import { chooseTexts, measureAll, openModel, primary, quickSettings, startRun, stepHeading, workMs } from '../wizard.ts'

test('a folder in, a verified GGUF out', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  await openModel(app, page)
  await expect.poll(() => page.getByText(/43 of 56 tensors can be compressed/).isVisible()).toBe(true)
  await page.getByRole('option', { name: /embed_tokens/ }).click()
  await expect.poll(() => page.getByRole('complementary', { name: 'Details' }).textContent()).toContain('model.embed_tokens.weight')

  await chooseTexts(app, page, await writeTexts(folder))
  await quickSettings(page)
  await measureAll(page)
  await page.getByRole('gridcell', { name: /^blocks\.0\.q, Q4_K/ }).click()
  await expect.poll(() => page.getByRole('complementary', { name: 'Details' }).textContent()).toContain('in Q4_K')
  await page.getByRole('radio', { name: 'Blocks' }).click()
  await page.getByRole('gridcell', { name: /^block 0, Q4_K: loss/ }).click()
  await page.getByRole('complementary', { name: 'Details' }).getByRole('button', { name: /^blocks\.0\.down/ }).first().click()
  await page.getByRole('radio', { name: 'Layers' }).click()
  expect(await page.getByRole('gridcell', { selected: true }).getAttribute('aria-label')).toMatch(/^blocks\.0\.down, Q4_K/)

  await page.getByRole('button', { name: 'Continue to bit budget' }).click()
  const size = page.getByRole('term').filter({ hasText: 'Bits per weight' }).locator('xpath=following-sibling::dd | preceding-sibling::dd')
  await expect.poll(() => size.textContent()).toMatch(/^4\.[45]\d$/)
  await page.getByRole('button', { name: /^Small: 3\.50 bpw/ }).click()
  await expect.poll(() => size.textContent()).toMatch(/^3\.[45]\d$/)
  await page.getByLabel('Format of embedding').selectOption('Q8_0')
  await expect.poll(() => page.getByRole('button', { name: 'Unpin embedding' }).isVisible()).toBe(true)
  await page.getByRole('button', { name: 'Undo change of plan' }).click()
  await expect.poll(() => page.getByRole('button', { name: 'Unpin embedding' }).isVisible()).toBe(false)

  await startRun(page)
  const written = page.getByText(/^Written and verified: /)
  await written.waitFor({ timeout: workMs })
  const file = (await written.textContent())?.replace('Written and verified: ', '') ?? ''
  expect((await stat(file)).size).toBeGreaterThan(2_000_000)

  await page.getByRole('button', { name: 'Continue to compare' }).click()
  await stepHeading(page, 'Compare').waitFor()
  await expect.poll(() => page.getByRole('row', { name: /Mean KL to the original/ }).textContent()).toMatch(/0\.\d+ ± /)
  await page.getByLabel('Prompt').fill('The ocean is')
  await page.getByLabel('Tokens', { exact: true }).fill('40')
  const row = (name: RegExp): Promise<string | null> => page.getByRole('row', { name }).textContent()
  expect(await row(/^Loading and first token/)).toContain('not measured')
  await page.getByRole('button', { name: 'Generate' }).click()
  await expect.poll(() => page.getByRole('region', { name: /^Text of/ }).filter({ hasText: 'tokens/s' }).count(), { timeout: workMs }).toBe(2)
  expect(await row(/^Loading and first token/)).not.toContain('not measured')
  expect(await row(/^Speed measured/)).toMatch(/(ago|now).*(ago|now)/)
  await page.keyboard.press('F7')
  const difference = await page.evaluate(() => document.activeElement?.outerHTML)
  expect(difference).toMatch(/^<mark/)
  await page.keyboard.press('Shift+F7') // around the ends, and back
  await page.keyboard.press('F7')
  expect(await page.evaluate(() => document.activeElement?.outerHTML)).toBe(difference)

  expect(await row(/^Perplexity/)).toMatch(/Perplexity[\d.]+\d{2}\.\d+ ± /) // the original's is the run's reference, without an error of its own
  await page.getByRole('button', { name: 'Measure the quality of Original again' }).click()
  await expect.poll(() => row(/^Perplexity/), { timeout: workMs }).toMatch(/ ± .* ± /)

  await page.getByRole('button', { name: 'Continue to export' }).click()
  await stepHeading(page, 'Export').waitFor()
  expect(await page.getByText('Written and verified').isVisible()).toBe(true)
  expect(await page.getByRole('region', { name: 'Loading with llama.cpp' }).textContent()).toContain(file)
  await app.evaluate(({ shell }) => { shell.showItemInFolder = (shown) => { Object.assign(globalThis, { shown }) } })
  await primary(page).click()
  await expect.poll(() => app.evaluate(() => Reflect.get(globalThis, 'shown') as string)).toBe(file)
})
