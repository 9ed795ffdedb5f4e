/** Every screen in light and dark: no axe violation, nothing the page's policy forbids, nothing lost on a narrow window. */
import { AxeBuilder } from '@axe-core/playwright'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { writeTexts } from '../texts.ts'
import { chooseTexts, measureAll, openModel, primary, quickSettings, railLink, stepHeading, workMs } from '../wizard.ts'

const artifacts = path.join(path.dirname(import.meta.dirname), 'artifacts')

/**
 * Looks at the screen in both themes, and keeps a picture of each. All rules are tried on the first theme; the second differs in
 * its colours alone.
 */
async function look(page: Page, name: string, problems: string[]): Promise<void> {
  const isDark = (): Promise<boolean> => page.evaluate(() => window.matchMedia('(prefers-color-scheme: dark)').matches)
  for (const theme of ['light', 'dark']) {
    if ((await isDark()) !== (theme === 'dark')) await page.keyboard.press('Control+Shift+L')
    await expect.poll(isDark).toBe(theme === 'dark')
    await expect.poll(() => page.evaluate(() => document.getAnimations().filter((one) => one.playState === 'running').length)).toBe(0)
    await mkdir(artifacts, { recursive: true })
    await page.screenshot({ path: path.join(artifacts, `${name}-${theme}.png`) })
    const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'], ...(theme === 'dark' && { runOnly: ['color-contrast', 'link-in-text-block'] }) })
    const { violations } = await axe.analyze()
    for (const { id, nodes } of violations) problems.push(`${name} ${theme}: ${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html.slice(0, 160)} ${failureSummary?.split('\n')[1] ?? ''}`).join(' | ')}`)
    await writeFile(path.join(artifacts, 'axe.txt'), problems.join('\n'))
  }
}

test('every screen', { timeout: 3 * workMs }, async ({ app, page, folder }) => {
  const problems: string[] = []
  await page.evaluate(() => {
    const violations: string[] = []
    Object.assign(window, { violations })
    document.addEventListener('securitypolicyviolation', (event) => { violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`) })
  })
  await look(page, '0-start', problems)
  for (const [keys, name] of [['Control+k', 'palette'], ['F1', 'shortcuts']] as const) {
    await page.keyboard.press(keys)
    await page.getByRole('dialog').waitFor()
    await look(page, `0-${name}`, problems)
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  }
  await openModel(app, page)
  await page.getByRole('option', { name: /layers\.2\.mlp\.down_proj/ }).click()
  await look(page, '1-model', problems)
  await page.getByRole('button', { name: 'View as table' }).click()
  await look(page, '1-model-table', problems)

  await railLink(page, 'Data').click()
  await look(page, '2-data-empty', problems)
  await railLink(page, 'Sensitivity').click()
  await look(page, '3-sensitivity-empty', problems)
  await railLink(page, 'Export').click()
  await look(page, '7-export-empty', problems)
  await railLink(page, 'Model').click()
  await chooseTexts(app, page, await writeTexts(folder))
  await look(page, '2-data', problems)
  await quickSettings(page)
  await measureAll(page)
  await page.getByRole('gridcell', { name: /^blocks\.1\.gate, Q4_K/ }).click()
  await look(page, '3-sensitivity', problems)

  await page.getByRole('button', { name: 'Continue to bit budget' }).click()
  await page.getByRole('figure', { name: /This plan/ }).waitFor()
  await page.getByLabel('Format of blocks.0.q').selectOption('Q6_K')
  await expect.poll(() => page.getByRole('button', { name: 'Unpin blocks.0.q', exact: true }).isVisible()).toBe(true)
  await look(page, '4-budget', problems)
  await page.getByRole('spinbutton', { name: 'At most' }).fill('1')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()
  await look(page, '4-budget-impossible', problems)
  await page.getByRole('button', { name: /^Use \d/ }).click()
  await expect.poll(() => page.getByRole('alert').allTextContents()).toEqual([])
  await page.getByRole('button', { name: /^Balanced/ }).click()
  await expect.poll(() => page.getByText(/ 4\.[34]\d bpw · solved| 4\.5\d bpw · solved/).isVisible()).toBe(true)

  await page.getByRole('button', { name: 'Continue to run' }).click()
  await page.getByText('What is written').waitFor()
  await look(page, '5-run-review', problems)
  await primary(page).click()
  await page.getByText(/^Written and verified: /).waitFor({ timeout: workMs })
  await look(page, '5-run-done', problems)
  await page.getByRole('button', { name: 'Continue to compare' }).click()
  await page.getByRole('button', { name: /^Make the baseline/ }).click()
  await page.getByRole('columnheader', { name: /^all / }).waitFor({ timeout: workMs })
  await page.getByLabel('Tokens', { exact: true }).fill('12')
  await page.getByRole('button', { name: 'Generate' }).click()
  await expect.poll(() => page.getByRole('region', { name: /^Text of/ }).filter({ hasText: 'tokens/s' }).count(), { timeout: workMs }).toBe(3)
  await look(page, '6-compare', problems)
  await page.getByRole('button', { name: 'Continue to export' }).click()
  await stepHeading(page, 'Export').waitFor()
  await look(page, '7-export', problems)
  await page.keyboard.press('Control+Shift+C')
  await page.getByRole('dialog').waitFor()
  await look(page, '7-command', problems)
  await page.keyboard.press('Escape')
  await railLink(page, 'Queue').click()
  await look(page, '8-queue', problems)
  await page.keyboard.press('Control+,')
  await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor()
  await look(page, '9-settings', problems)

  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Emulation.setDeviceMetricsOverride', { width: 320, height: 800, deviceScaleFactor: 1, mobile: false }) // 400 % zoom of 1280
  for (const step of ['model', 'sensitivity', 'budget', 'run', 'compare', 'export'] as const) {
    await page.getByLabel('Go to').selectOption(step)
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth), step).toBeLessThanOrEqual(320)
    await page.screenshot({ path: path.join(artifacts, `narrow-${step}.png`) })
  }
  expect(problems).toEqual([])
  expect(await page.evaluate(() => Reflect.get(window, 'violations') as string[])).toEqual([])
})
