/** Row 1: pages are isolated and sandboxed. */
import { expect, test, vi } from 'vitest'
import { windowOptions } from './window.ts'

vi.mock('electron', () => ({ BrowserWindow: function unused() { return undefined } })) // the package itself would fetch a binary

test('pages are isolated, sandboxed and without Node', () => {
  expect(windowOptions('/p.cjs', false).webPreferences).toEqual({
    preload: '/p.cjs', contextIsolation: true, sandbox: true, webSecurity: true, nodeIntegration: false, nodeIntegrationInWorker: false, nodeIntegrationInSubFrames: false,
    webviewTag: false, spellcheck: false,
  })
})
