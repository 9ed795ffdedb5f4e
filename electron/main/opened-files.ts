/** @file Files the desktop hands over: the command line, a second start of the app, and macOS' open-file. */
import type { App } from 'electron'
import { existsSync } from 'node:fs'
import path from 'node:path'

/** The files named on a command line: what is there and is not the app itself. */
export function filesOf(argv: readonly string[], folder: string, appPath: string): string[] {
  return argv.slice(1).filter((word) => !word.startsWith('-')).map((word) => path.resolve(folder, word)).filter((file) => file !== path.resolve(appPath) && existsSync(file))
}

/** Calls `open` for each such file, now and later; `show` brings the window back for a second start without files. */
export function watchOpenedFiles(app: App, open: (file: string) => void, show: () => void): void {
  app.on('open-file', (event, file) => {
    event.preventDefault()
    open(file)
  })
  app.on('second-instance', (_event, argv, folder) => {
    show()
    filesOf(argv, folder, app.getAppPath()).forEach(open)
  })
  filesOf(process.argv, process.cwd(), app.getAppPath()).forEach(open)
}
