/** Long work that is stopped, killed, or left alone: nothing finished is lost. */
import type { ElectronApplication, Page } from 'playwright-core'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { answerOpenDialog, engineOf, launch } from '../launch.ts'
import { sampleModel, writeTexts } from '../texts.ts'
import { chooseTexts, openModel, railLink, startRun, stepHeading, walkToBudget, workMs } from '../wizard.ts'

/** A measurement slow enough to be stopped in the middle. */
async function startMeasuring(app: ElectronApplication, page: Page, folder: string): Promise<void> {
  await openModel(app, page)
  await chooseTexts(app, page, await writeTexts(folder))
  await page.getByRole('button', { name: 'Continue to sensitivity' }).click()
  await page.getByLabel('Metric').selectOption('layer-output')
  await page.getByLabel('Rounding').selectOption('search')
  await page.getByRole('button', { name: /^Measure \d+ layers/ }).click()
  await page.getByRole('gridcell', { name: /^blocks\.\d\.\w+, Q4_K: loss/ }).first().waitFor({ timeout: workMs })
}

test('a measurement is paused, kept, and continued to the end', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  await startMeasuring(app, page, folder)
  await page.getByRole('button', { name: 'Pause', exact: true }).click()
  const kept = page.getByText(/^Paused\. \d+ of 43 layers are kept\.$/)
  await kept.waitFor()
  expect(Number(/Paused\. (\d+)/.exec((await kept.textContent()) ?? '')?.[1])).toBeGreaterThan(0)
  await page.getByRole('button', { name: 'Continue measuring' }).click()
  await page.getByText('All 43 layers are measured').waitFor({ timeout: workMs })
})

test('the engine is killed in the middle of a measurement: it says so, keeps what it has, and resumes', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  await startMeasuring(app, page, folder)
  process.kill(await engineOf(app), 'SIGKILL')
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('The engine stopped during "measure"')
  expect(await railLink(page, 'Sensitivity').textContent()).toContain('needs attention')
  expect(await page.getByRole('button', { name: 'Continue measuring' }).isVisible()).toBe(true)
  await page.getByRole('button', { name: 'Go on with less memory' }).click() // nobody ended it on purpose: it seems to have been for memory
  await page.getByText('All 43 layers are measured').waitFor({ timeout: workMs })
})

test('a run is cancelled at once, then resumed and finished', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  await walkToBudget(app, page, await writeTexts(folder))
  await startRun(page)
  await page.getByText('running', { exact: true }).first().waitFor()
  await page.getByRole('main').getByRole('button', { name: 'Cancel', exact: true }).click()
  await page.getByText('Cancelled.').waitFor()
  await page.getByRole('button', { name: 'Go on after all' }).click()
  await page.getByText(/^Written and verified: /).waitFor({ timeout: workMs })
})

test('closing the window asks; pausing and quitting keeps the job for the next start', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  await startMeasuring(app, page, folder)
  await app.evaluate(({ dialog, BrowserWindow }) => {
    dialog.showMessageBox = ((_window: unknown, options: { buttons: string[] }) => {
      Object.assign(globalThis, { asked: options.buttons })
      return Promise.resolve({ response: options.buttons.indexOf('Go back'), checkboxChecked: false })
    }) as typeof dialog.showMessageBox
    BrowserWindow.getAllWindows()[0].close()
  })
  await expect.poll(() => app.evaluate(() => Reflect.get(globalThis, 'asked') as string[])).toEqual(['Pause and quit', 'Keep working in the background', 'Go back'])
  expect(await stepHeading(page, 'Sensitivity').isVisible()).toBe(true)

  const closed = app.waitForEvent('close')
  await app.evaluate(({ dialog, BrowserWindow }) => {
    dialog.showMessageBox = (() => Promise.resolve({ response: 0, checkboxChecked: false }))
    setTimeout(() => { BrowserWindow.getAllWindows()[0].close() }) // after the answer to this call has left
  })
  await closed
  const again = await launch(folder)
  const next = await again.firstWindow()
  await next.getByRole('button', { name: 'Queue' }).click()
  await next.getByRole('button', { name: /^Resume Measure sample-model/ }).click()
  await next.getByText('running', { exact: true }).or(next.getByText(/%/)).first().waitFor()
  await next.getByRole('button', { name: /^Cancel Measure/ }).click()
  await next.getByText('cancelled', { exact: true }).first().waitFor()
  await again.close()
})

test('another model is looked at while one is measured', { timeout: workMs }, async ({ app, page, folder }) => {
  await startMeasuring(app, page, folder)
  await answerOpenDialog(app, [`${sampleModel}/model.safetensors`])
  await page.keyboard.press('Control+o')
  await stepHeading(page, 'Model').waitFor()
  await railLink(page, 'Queue').click()
  await page.getByRole('button', { name: /^Pause Measure sample-model/ }).waitFor()
  await page.getByRole('button', { name: /^Cancel Measure sample-model/ }).click()
  await page.getByText('cancelled', { exact: true }).first().waitFor()
})
