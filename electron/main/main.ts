/** @file The main process: what has to happen before Electron is ready, in order. The rest is in app.ts. */
import { app, crashReporter, shell } from 'electron'
import { startApp } from './app.ts'
import { isSafeLink } from './external.ts'
import { guardAll } from './guards.ts'
import { registerScheme } from './protocol.ts'

if (app.requestSingleInstanceLock()) {
  app.enableSandbox()
  crashReporter.start({ uploadToServer: false })
  registerScheme()
  guardAll(app, (url) => { if (isSafeLink(url)) void shell.openExternal(url) })
  app.on('window-all-closed', () => { if (process.platform !== 'darwin') app.quit() })
  void app.whenReady().then(startApp)
} else {
  app.quit() // the first instance has been told and shows itself
}
