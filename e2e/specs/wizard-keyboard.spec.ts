/** The whole wizard by keyboard alone: no pointer is used in this file. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { answerOpenDialog } from '../launch.ts'
import { sampleModel, writeTexts } from '../texts.ts'
import { workMs } from '../wizard.ts'

/** More tab stops than any screen has. */
const maxTabs = 80

/** What has the focus, as a screen reader would name it. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement
    const label = element?.id === undefined || element.id === '' ? null : document.querySelector(`label[for="${CSS.escape(element.id)}"]`)
    return (element?.getAttribute('aria-label') ?? label?.textContent ?? element?.textContent ?? '').trim()
  })
}

async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < maxTabs; i++) {
    await page.keyboard.press('Tab')
    if (name.test(await focused(page))) return
  }
  throw new Error(`no tab stop is named ${String(name)}`)
}

/** Moving to a step puts the focus on its heading. */
const onHeading = (page: Page, name: string): Promise<void> => expect.poll(() => focused(page)).toBe(name)
const mainAction = (page: Page): Promise<void> => page.keyboard.press('Control+Enter')

test('a folder in, a verified GGUF out, without a mouse', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  const { calibration, heldOut } = await writeTexts(folder)
  await onHeading(page, 'Make a model smaller')
  await answerOpenDialog(app, [sampleModel])
  await page.keyboard.press('Control+Shift+O')
  await onHeading(page, 'Model')

  await tabTo(page, /^Tensors by size$/)
  await page.keyboard.press('ArrowRight')
  expect(await page.getByRole('option', { selected: true }).getAttribute('aria-label')).toContain('embed_tokens')
  await page.keyboard.press('ArrowRight')
  expect(await page.getByRole('option', { selected: true }).getAttribute('aria-label')).toContain('mlp')

  await mainAction(page)
  await onHeading(page, 'Data')
  await answerOpenDialog(app, [calibration])
  await tabTo(page, /^Choose file…$/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'calibration.txt' }).waitFor()
  await answerOpenDialog(app, [heldOut])
  await tabTo(page, /^Choose held-out text…$/)
  await page.keyboard.press('Enter')
  await page.getByText('the text validation.txt').waitFor()

  await mainAction(page)
  await onHeading(page, 'Sensitivity')
  expect(await page.title()).toBe('Sensitivity – sample-model')
  await tabTo(page, /^Metric$/)
  await page.keyboard.type('Weighted')
  await tabTo(page, /^Rounding$/)
  await page.keyboard.type('Nearest')
  await tabTo(page, /^Windows$/)
  await page.keyboard.type('4')
  await page.keyboard.press('Enter')
  await mainAction(page)
  await page.getByText(/layers are measured/).waitFor({ timeout: workMs })
  await tabTo(page, /^Loss by layer and format$/)
  for (const key of ['ArrowDown', 'ArrowRight', 'End']) await page.keyboard.press(key)
  expect(await page.getByRole('gridcell', { selected: true }).getAttribute('aria-label')).toMatch(/^blocks\.0\.q, Q8_0: loss/)

  await mainAction(page)
  await onHeading(page, 'Bit budget')
  await page.getByRole('figure', { name: /This plan/ }).waitFor()
  const words = page.getByText(/solved in/)
  const before = await words.textContent()
  await tabTo(page, /^At most$/)
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowDown')
  await expect.poll(() => words.textContent()).toMatch(/· [34]\.[09]\d bpw/)
  await tabTo(page, /^Size on disk$/)
  for (let i = 0; i < 5; i++) await page.keyboard.press('Control+z')
  await expect.poll(async () => (await words.textContent())?.split('·')[1]).toBe(before?.split('·')[1])

  await mainAction(page)
  await onHeading(page, 'Run')
  await expect.poll(() => page.locator('#primary-action').getAttribute('aria-disabled')).toBeNull()
  await mainAction(page)
  await page.getByText(/^Written and verified: /).waitFor({ timeout: workMs })

  await mainAction(page)
  await onHeading(page, 'Compare')
  await mainAction(page)
  await onHeading(page, 'Export')
  await page.keyboard.press('Control+k')
  await page.keyboard.type('go mod')
  await page.keyboard.press('Enter')
  await onHeading(page, 'Model')
})

test('regions are cycled, dialogs give the focus back, shortcuts are listed', async ({ app, page }) => {
  await answerOpenDialog(app, [sampleModel])
  await page.keyboard.press('Control+Shift+O')
  await onHeading(page, 'Model')
  const region = (): Promise<string | undefined> => page.evaluate(() => document.activeElement?.closest<HTMLElement>('[data-region]')?.dataset.region)
  const seen: (string | undefined)[] = []
  for (let i = 0; i < 3; i++) {
    await page.keyboard.press('F6')
    seen.push(await region())
  }
  expect(seen).toEqual(['details', 'status', 'rail'])
  await page.keyboard.press('F1')
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(region).toBe('rail')
})
