/** An ONNX graph: pictures in, samples seen, layers measured, a smaller graph out and compared output by output. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { expect } from 'vitest'
import { encodeModel } from '../../electron/engine/graph/encode.ts'
import { smallCnn } from '../../electron/engine/graph-model/testing.ts'
import { test } from '../fixture.ts'
import { answerOpenDialog } from '../launch.ts'
import { measureAll, startRun, stepHeading, workMs } from '../wizard.ts'

/** Pictures of two colours each, all different. */
async function writePictures(folder: string, count: number): Promise<void> {
  await mkdir(folder)
  for (let at = 0; at < count; at++) {
    const colour = (turn: number) => ({ r: (at * 37 + turn) % 256, g: (at * 91 + turn) % 256, b: (at * 53 + turn) % 256 })
    const patch = await sharp({ create: { width: 10, height: 14, channels: 3, background: colour(128) } }).png().toBuffer()
    await sharp({ create: { width: 24, height: 20, channels: 3, background: colour(0) } }).composite([{ input: patch, left: at % 14, top: at % 6 }]).png().toFile(path.join(folder, `${String(at).padStart(2, '0')}.png`))
  }
}

test('a folder of pictures, a plan, a verified ONNX graph', { timeout: 2 * workMs }, async ({ app, page, folder }) => {
  const model = path.join(folder, 'small.onnx')
  const pictures = path.join(folder, 'pictures')
  await writeFile(model, encodeModel(smallCnn()))
  await writePictures(pictures, 20)

  await answerOpenDialog(app, [model])
  await page.getByRole('button', { name: 'Choose file…' }).click()
  await stepHeading(page, 'Model').waitFor()
  await page.getByRole('button', { name: 'Continue to data' }).click()
  await page.getByText('float32 [n, 3, 12, 12]').waitFor()
  await answerOpenDialog(app, [pictures])
  await page.getByRole('button', { name: 'Choose folder of pictures…' }).click()
  await page.getByRole('list', { name: 'First samples' }).waitFor()
  expect(await page.getByRole('img', { name: /^Sample \d/ }).count()).toBe(6)
  const mean = page.getByLabel('Mean, by channel')
  await mean.fill('0.5, 0.5, 0.5')
  await mean.press('Enter')
  await expect.poll(() => page.getByRole('region', { name: 'Inputs' }).getByRole('row', { name: /^image/ }).textContent()).toContain('−0.500')

  await page.getByRole('button', { name: 'Continue to sensitivity' }).click()
  await stepHeading(page, 'Sensitivity').waitFor()
  await measureAll(page)
  await page.getByRole('gridcell', { name: /^main, int4-g32/ }).click()
  await page.getByRole('figure', { name: /^One group of 32 weights/ }).waitFor()
  await page.getByRole('button', { name: 'Continue to bit budget' }).click()
  await page.getByRole('figure', { name: /This plan/ }).waitFor()
  expect(await page.getByRole('radio', { name: 'GGUF' }).count()).toBe(0)

  await startRun(page)
  await page.getByText(/^Written and verified: /).waitFor({ timeout: workMs })
  await page.getByRole('heading', { name: /^Outputs, over \d+ samples/ }).waitFor()
  await page.getByRole('button', { name: 'Continue to compare' }).click()
  const table = page.getByRole('region', { name: 'Side by side' })
  expect(await table.getByRole('row', { name: /^Signal to noise/ }).textContent()).toMatch(/∞\d+(\.\d+)? dB/)
  expect(await table.getByRole('row', { name: /^Perplexity/ }).count()).toBe(0)
  await page.getByRole('button', { name: 'Continue to export' }).click()
  await page.getByText(/import onnxruntime as ort/).waitFor()
})
