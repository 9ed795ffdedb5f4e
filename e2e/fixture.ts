/** @file The fixtures of every spec: a fresh folder, the app started in it, its first window; for each test, or for a file. */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { ElectronApplication, Page } from 'playwright-core'
import { test as base } from 'vitest'
import { launch } from './launch.ts'

interface Fixtures { folder: string; app: ElectronApplication; page: Page }

// eslint-disable-next-line no-empty-pattern -- vitest reads the fixture's needs from the pattern
async function freshFolder({}: object, use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-e2e-'))
  await use(folder)
  await rm(folder, { recursive: true, force: true, maxRetries: 5 })
}

async function startedApp({ folder }: Pick<Fixtures, 'folder'>, use: (app: ElectronApplication) => Promise<void>): Promise<void> {
  const app = await launch(folder)
  await use(app)
  // A test that failed may leave a job behind, which the app asks about.
  await app.evaluate(({ dialog }) => { dialog.showMessageBox = () => Promise.resolve({ response: 0, checkboxChecked: false }) }).catch(() => undefined)
  await app.close()
}

async function firstPage({ app }: Pick<Fixtures, 'app'>, use: (page: Page) => Promise<void>): Promise<void> {
  const page = await app.firstWindow()
  await page.locator('[data-app-state="ready"]').waitFor()
  await use(page)
}

export const test = base.extend<Fixtures>({ folder: freshFolder, app: startedApp, page: firstPage })

/** One app for all such tests of a file: for those that leave it as they found it. */
export const sharedTest = base.extend<{ $file: Fixtures }>({ folder: [freshFolder, { scope: 'file' }], app: [startedApp, { scope: 'file' }], page: [firstPage, { scope: 'file' }] })
