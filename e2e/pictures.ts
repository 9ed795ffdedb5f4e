/** @file Takes the README's pictures anew: the bundled example walked through as it comes, in light and in dark. `node e2e/pictures.ts`, once the app is built. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { launch } from './launch.ts'
import { pressPrimary, stepHeading, workMs } from './wizard.ts'

const pictures = path.join(import.meta.dirname, '../assets/screenshots')

async function take(page: Page, name: string): Promise<void> {
  for (const theme of ['dark', 'light']) {
    await page.keyboard.press('Control+Shift+L')
    await page.waitForFunction((isDark) => window.matchMedia('(prefers-color-scheme: dark)').matches === isDark, theme === 'dark')
    await page.waitForFunction(() => document.getAnimations().every(({ playState }) => playState !== 'running'))
    await setTimeout(300) // canvases are drawn a frame later
    await page.screenshot({ path: path.join(pictures, `${name}-${theme}.png`) })
  }
}

/** From the top, with the pointer out of the way. */
async function settle(page: Page): Promise<void> {
  await page.mouse.move(0, 0)
  await page.evaluate(() => { for (const one of document.querySelectorAll('main *')) one.scrollTop = 0 })
}

const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-pictures-'))
const app = await launch(folder)
try {
  const page = await app.firstWindow()
  await page.getByRole('button', { name: 'Try the example' }).click()
  await stepHeading(page, 'Model').waitFor()
  await pressPrimary(page, 'Continue to data')
  await stepHeading(page, 'Data').waitFor()
  await pressPrimary(page, /^Continue/)
  await pressPrimary(page, /^Measure \d+ layers/)
  await page.getByText(/layers are measured/).waitFor({ timeout: workMs })
  await page.getByRole('gridcell', { name: /^blocks\.0\.v, Q3_K/ }).click()
  await page.getByText(/^The weights move by/).waitFor()
  await settle(page)
  await take(page, 'sensitivity')
  await pressPrimary(page, 'Continue to bit budget')
  await page.getByRole('figure', { name: /This plan/ }).waitFor()
  await settle(page)
  await take(page, 'budget')
  await pressPrimary(page, 'Continue to run')
  await pressPrimary(page, 'Start')
  await page.getByText(/^Written and verified: /).waitFor({ timeout: workMs })
  await pressPrimary(page, 'Continue to compare')
  await page.getByRole('button', { name: /^Make the baseline/ }).click()
  await page.getByRole('columnheader', { name: /^all / }).waitFor({ timeout: workMs })
  await settle(page)
  await take(page, 'compare')
} finally {
  await app.close()
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}
