/** Files from the desktop: dropped, named at the start, broken; and what is said of each. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'vitest'
import { test } from '../fixture.ts'
import { answerOpenDialog, dropFiles, launch } from '../launch.ts'
import { sampleModel, writeTexts } from '../texts.ts'
import { openModel, railLink, stepHeading } from '../wizard.ts'

test('a dropped folder is opened by its real path', async ({ page }) => {
  await dropFiles(page.getByText('Drop a model here'), [sampleModel])
  await stepHeading(page, 'Model').waitFor()
  expect(await page.getByTitle(sampleModel, { exact: true }).isVisible()).toBe(true)
})

test('a text dropped on the Data step is the calibration data', async ({ app, page, folder }) => {
  const { calibration } = await writeTexts(folder)
  await openModel(app, page)
  await page.getByRole('button', { name: 'Continue to data' }).click()
  await stepHeading(page, 'Data').waitFor()
  await dropFiles(page.getByText('Choose calibration data'), [calibration])
  await page.getByRole('heading', { name: 'calibration.txt' }).waitFor()
})

test('reading a large text is stopped by Escape, and another is chosen', async ({ app, page, folder }) => {
  const { calibration } = await writeTexts(folder)
  const large = path.join(folder, 'large.txt')
  await writeFile(large, Array.from({ length: 600_000 }, (_, at) => `Line ${String(at)} of a text that takes a while to be read, ${String(at * 7919)}.`).join('\n'))
  await openModel(app, page)
  await railLink(page, 'Data').click()
  await answerOpenDialog(app, [large])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await page.getByText('Reading large.txt').waitFor()
  await page.keyboard.press('Escape')
  await page.getByText('Reading large.txt').waitFor({ state: 'detached' })
  expect(await page.getByRole('alert').count()).toBe(0)
  await answerOpenDialog(app, [calibration])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await page.getByRole('heading', { name: 'calibration.txt' }).waitFor()
})

test('a drop beside everything does not make the window go to the file', async ({ page, folder }) => {
  const { calibration } = await writeTexts(folder)
  await dropFiles(page.getByRole('contentinfo'), [calibration])
  await page.getByRole('alert').waitFor()
  expect(await page.getByRole('heading', { name: 'Make a model smaller' }).isVisible()).toBe(true)
})

test('a model named at the start is opened', async ({ folder }) => {
  const app = await launch(folder, [sampleModel])
  await stepHeading(await app.firstWindow(), 'Model').waitFor()
  await app.close()
})

test('a file that the desktop hands over is opened', async ({ app, page }) => {
  await page.getByText('Drop a model here').waitFor()
  await app.evaluate(({ app: main }, file) => { main.emit('open-file', { preventDefault: () => undefined }, file) }, path.join(sampleModel, 'model.safetensors'))
  await stepHeading(page, 'Model').waitFor()
})

test('the page cannot name a file that the user did not give it', async ({ page }) => {
  const reply = await page.evaluate(() => (Reflect.get(window, 'halftone') as { call: (channel: string, input: unknown) => Promise<unknown> }).call('project.open', { file: '/etc/passwd' }))
  expect(reply).toMatchObject({ ok: false, error: { code: 'bad-request' } })
})

test('what cannot be opened says where, what was found and what to do, and nothing is lost', async ({ app, page, folder }) => {
  const broken = path.join(folder, 'broken.gguf')
  await writeFile(broken, 'GGUF\x03\x00\x00\x00 and then nothing')
  const empty = path.join(folder, 'empty')
  await mkdir(empty)
  for (const [model, words] of [[broken, /broken\.gguf/], [empty, /empty/]] as const) {
    await answerOpenDialog(app, [model])
    await page.getByRole('button', { name: 'Choose folder…' }).click()
    await expect.poll(() => page.getByRole('alert').textContent()).toMatch(words)
    await page.getByRole('button', { name: 'Dismiss' }).click()
  }
  await openModel(app, page)
  await answerOpenDialog(app, [broken])
  await page.keyboard.press('Control+o')
  await page.getByRole('alert').waitFor()
  expect(await stepHeading(page, 'Model').isVisible()).toBe(true)
})

test('evaluation text that overlaps with calibration is refused', async ({ app, page, folder }) => {
  const { calibration } = await writeTexts(folder)
  await openModel(app, page)
  await railLink(page, 'Data').click()
  await answerOpenDialog(app, [calibration])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await page.getByRole('button', { name: 'Choose held-out text…' }).click()
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('the same data as the calibration data')
})

test('steps that lack something say what, and lead there', async ({ app, page }) => {
  await openModel(app, page)
  for (const [step, reason] of [['Sensitivity', 'Choose data in the Data step first'], ['Bit budget', 'Measure the layers first'], ['Run', 'Measure the layers first'], ['Compare', 'Nothing has been compressed yet'], ['Export', 'Nothing has been written yet']] as const) {
    await railLink(page, step).click()
    await stepHeading(page, step).waitFor()
    expect(await page.getByText(reason, { exact: true }).isVisible(), step).toBe(true)
  }
})

test('a project is found again as it was left', async ({ app, page, folder }) => {
  const { calibration } = await writeTexts(folder)
  await openModel(app, page)
  await railLink(page, 'Data').click()
  await answerOpenDialog(app, [calibration])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await page.getByRole('heading', { name: 'calibration.txt' }).waitFor()
  await app.close()
  const again = await launch(folder)
  const next = await again.firstWindow()
  await next.getByRole('button', { name: /sample-model/ }).click()
  await stepHeading(next, 'Data').waitFor()
  await next.getByRole('heading', { name: 'calibration.txt' }).waitFor()
  await again.close()
})
