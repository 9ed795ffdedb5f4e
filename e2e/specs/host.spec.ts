/** What the app relies on the stand-in for, and Electron does too. */
import path from 'node:path'
import { _electron } from 'playwright-core'
import { expect } from 'vitest'
import { sharedTest as test } from '../fixture.ts'
import { executable } from '../launch.ts'

test('the page gets one API of three functions, and neither require nor process', async ({ page }) => {
  expect(await page.evaluate(() => Object.keys(Reflect.get(window, 'halftone') as object).sort())).toEqual(['adoptFile', 'call', 'onEvent'])
  expect(await page.evaluate(() => ['require', 'process', 'module'].filter((name) => name in window))).toEqual([])
})

test('links that would open a window go to the desktop browser when they are listed, and nowhere else', async ({ app, page }) => {
  await app.evaluate(({ shell }) => {
    const opened: string[] = []
    Object.assign(globalThis, { opened })
    shell.openExternal = (url) => {
      opened.push(url)
      return Promise.resolve()
    }
  })
  await page.evaluate(() => { for (const url of ['https://example.org/help', 'https://huggingface.co/models']) window.open(url) })
  await expect.poll(() => app.evaluate(() => Reflect.get(globalThis, 'opened') as string[])).toEqual(['https://huggingface.co/models'])
  expect(app.windows()).toHaveLength(1)
})

test('a second start hands its file over to the first', async ({ app, page, folder }) => {
  await page.getByRole('main').waitFor()
  await app.evaluate(({ app: main }) => { main.on('second-instance', (_event, argv) => { Object.assign(globalThis, { argv }) }) })
  const second = _electron.launch({
    args: ['.', `--user-data-dir=${path.join(folder, 'profile')}`, 'model.gguf'], cwd: path.resolve(import.meta.dirname, '../..'),
    ...executable(),
  })
  await second.catch(() => undefined) // it ends at once, as it should
  await expect.poll(() => app.evaluate(() => (Reflect.get(globalThis, 'argv') as string[] | undefined)?.at(-1))).toBe('model.gguf')
})

test('the page is served with its policy as a header', async ({ page }) => {
  const policy = await page.evaluate(async () => (await fetch(location.href)).headers.get('content-security-policy'))
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
})
