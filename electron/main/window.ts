/** @file The one place a window is made. */
import { BrowserWindow, type BrowserWindowConstructorOptions } from 'electron'

/** Colours of the page's ground, so that nothing flashes before it is painted. */
const ground = { light: '#f7f7f5', dark: '#17181b' }

/** Exported for the test that holds the security rows. */
export function windowOptions(preload: string, isDark: boolean): BrowserWindowConstructorOptions {
  return {
    width: 1280, height: 820, minWidth: 480, minHeight: 480, show: false, title: 'Halftone',
    backgroundColor: isDark ? ground.dark : ground.light,
    webPreferences: {
      preload, contextIsolation: true, sandbox: true, webSecurity: true, nodeIntegration: false, nodeIntegrationInWorker: false, nodeIntegrationInSubFrames: false,
      webviewTag: false, spellcheck: false,
    },
  }
}

export interface WindowOptions {
  readonly preload: string
  readonly address: string
  readonly isDark: boolean
  readonly log: (text: string) => void
}

/** Opens a window on `address`; it is shown once it has something to show. */
export function createWindow({ preload, address, isDark, log }: WindowOptions): BrowserWindow {
  const window = new BrowserWindow(windowOptions(preload, isDark))
  window.once('ready-to-show', () => { window.show() })
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    log(`window: its process is gone (${reason}); loading again`)
    if (reason !== 'clean-exit' && !window.isDestroyed()) void window.loadURL(address)
  })
  void window.loadURL(address)
  return window
}
