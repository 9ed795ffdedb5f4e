/** Errors that a person meets: each says what happened and what to do, and the way on works. */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { ElectronApplication, Page } from 'playwright-core'
import { expect } from 'vitest'
import { smallCnn } from '../../electron/engine/graph-model/testing.ts'
import { writeModel } from '../../electron/engine/graph/write.ts'
import { test } from '../fixture.ts'
import { answerOpenDialog, engineOf, launch } from '../launch.ts'
import { copySample, sampleModel, writeTexts } from '../texts.ts'
import { openModel, primary, railLink, stepHeading, walkToBudget, workMs } from '../wizard.ts'

const alertText = (page: Page): Promise<string | null> => page.getByRole('alert').first().textContent()

/** What main is told about the free space of the disk, from now on. */
function pretendFree(app: ElectronApplication, bytes: number): Promise<void> {
  return app.evaluate((_electron, free) => {
    const files = process.getBuiltinModule('node:fs/promises')
    files.statfs = (() => Promise.resolve({ bavail: free, bsize: 1 })) as unknown as typeof files.statfs
  }, bytes)
}

test('data: bad rows are counted and named, text that cannot be used is refused, and good text is taken after that', async ({ app, page, folder }) => {
  const { calibration } = await writeTexts(folder)
  const rows = path.join(folder, 'rows.jsonl')
  await writeFile(rows, ['{"text":"The sea is blue and deep."}', '{"text":7}', 'not json', '{"text":"A second good row of words."}'].join('\n'))
  const empty = path.join(folder, 'empty.txt')
  await writeFile(empty, '')
  await openModel(app, page)
  await railLink(page, 'Data').click()
  await answerOpenDialog(app, [empty])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await expect.poll(() => alertText(page)).toContain('empty.txt')
  await answerOpenDialog(app, [rows])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await page.getByText('2 of 4 rows cannot be used').waitFor()
  expect(await primary(page).textContent()).toBe('Leave out 2 rows and continue')
  await page.getByText(/^row 2: field "text" is a number/).waitFor()
  await page.getByText(/^row 3: not JSON/).waitFor()
  await answerOpenDialog(app, [calibration])
  await page.getByRole('button', { name: 'Choose other data…' }).click()
  await page.getByRole('heading', { name: 'calibration.txt' }).waitFor()
  await expect.poll(() => page.getByRole('alert').count()).toBe(0)
  expect(await primary(page).textContent()).toBe('Continue to sensitivity')
})

test('a project whose model has been moved says so, and opens once it is back', async ({ app, page, folder }) => {
  const model = path.join(folder, 'my-model')
  await copySample(model)
  await openModel(app, page, model)
  await app.close()
  await rename(model, `${model}-away`)
  const again = await launch(folder)
  const next = await again.firstWindow()
  await next.getByRole('button', { name: /my-model/ }).click()
  await expect.poll(() => alertText(next)).toContain('my-model')
  await rename(`${model}-away`, model)
  await next.getByRole('button', { name: /my-model/ }).click()
  await stepHeading(next, 'Model').waitFor()
  await again.close()
})

test('an ONNX graph whose weights lie elsewhere: they are located, and it opens', async ({ app, page, folder }) => {
  const [model, data] = [path.join(folder, 'net.onnx'), path.join(folder, 'net.onnx.data')]
  await writeModel(smallCnn(), model, { externalData: true })
  const found = path.join(folder, 'home', 'download.bin')
  await mkdir(path.dirname(found), { recursive: true })
  await rename(data, found)
  await answerOpenDialog(app, [model])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await expect.poll(() => alertText(page)).toContain("external data 'net.onnx.data' is not in")
  await answerOpenDialog(app, [])
  await page.getByRole('button', { name: 'Locate…' }).click()
  await expect.poll(() => alertText(page)).toContain('net.onnx.data')
  await answerOpenDialog(app, [found])
  await page.getByRole('button', { name: 'Locate…' }).click()
  await stepHeading(page, 'Model').waitFor()
  expect(await page.getByRole('alert').count()).toBe(0)
  expect((await stat(data)).size).toBe((await stat(found)).size)
})

test('an engine that does not answer is told of, and is started anew', { timeout: workMs }, async ({ app, page }) => {
  await openModel(app, page)
  const engine = await engineOf(app)
  process.kill(engine, 'SIGSTOP') // what a hang in native code looks like from outside
  await page.getByText('Engine is not responding').waitFor()
  await page.getByRole('button', { name: 'End and restart it' }).click()
  await page.getByText('Engine at rest').waitFor()
  await answerOpenDialog(app, [sampleModel])
  await page.keyboard.press('Control+Shift+O')
  await page.getByText('Engine ready').waitFor()
  expect(await engineOf(app)).not.toBe(engine)
})

test('runs: a full disk, a folder that is taken, a place that cannot be written, an impossible budget', { timeout: 3 * workMs }, async ({ app, page, folder }) => {
  await walkToBudget(app, page, await writeTexts(folder))

  await page.getByRole('spinbutton', { name: 'At most' }).fill('1')
  await page.keyboard.press('Enter')
  await expect.poll(() => alertText(page)).toMatch(/smallest/i)
  await page.getByRole('button', { name: 'Undo change of plan' }).click()
  await expect.poll(() => page.getByRole('alert').count()).toBe(0)

  await pretendFree(app, 1000)
  await page.getByRole('button', { name: 'Continue to run' }).click()
  await page.getByText(/^The disk has .* free; this needs /).waitFor()
  await primary(page).click()
  await page.getByText(/It goes on by itself once there is room/).waitFor()
  const documents = path.join(folder, 'home/Documents/Halftone')
  await rm(documents, { recursive: true, force: true })
  await mkdir(path.dirname(documents), { recursive: true })
  await writeFile(documents, 'a file where a folder should be')
  await pretendFree(app, 1e12)
  await page.getByText('failed', { exact: true }).first().waitFor({ timeout: workMs }) // it went on by itself
  expect(await alertText(page)).toContain('What is finished is kept')

  await rm(documents)
  await page.getByRole('button', { name: 'Try again' }).click()
  const written = page.getByText(/^Written and verified: /)
  await written.waitFor({ timeout: workMs })
  const output = ((await written.textContent()) ?? '').replace('Written and verified: ', '')

  await page.getByRole('button', { name: 'Plan another run' }).click()
  await page.getByText('There is a folder of this name already.').waitFor()
  await page.getByRole('button', { name: 'Show the last run' }).click()

  await rm(output)
  await page.getByRole('button', { name: 'Continue to compare' }).click()
  await page.getByRole('button', { name: 'Generate' }).click()
  await railLink(page, 'Queue').click()
  await page.getByText('failed', { exact: true }).first().waitFor({ timeout: workMs })
})
