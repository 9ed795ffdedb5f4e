/** @file The fixtures of every spec: a fresh folder, the app started in it, its first window. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { ElectronApplication, Page } from 'playwright-core'
import { test as base } from 'vitest'
import { launch } from './launch.ts'

interface Fixtures { folder: string; app: ElectronApplication; page: Page }

export const test = base.extend<Fixtures>({
  // eslint-disable-next-line no-empty-pattern -- vitest reads the fixture's needs from the pattern
  folder: async ({}, use) => {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-e2e-'))
    await use(folder)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  },
  app: async ({ folder }, use) => {
    const app = await launch(folder)
    await use(app)
    // A test that failed may leave a job behind, which the app asks about.
    await app.evaluate(({ dialog }) => { dialog.showMessageBox = () => Promise.resolve({ response: 0, checkboxChecked: false }) }).catch(() => undefined)
    await app.close()
  },
  page: async ({ app }, use) => {
    const page = await app.firstWindow()
    await page.locator('[data-app-state="ready"]').waitFor()
    await use(page)
  },
})
