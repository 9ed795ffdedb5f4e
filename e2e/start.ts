/**
 * @file `npm start`: builds and opens the app. In Electron where its binary is or can be downloaded; elsewhere it says so
 * and opens the same bundles in the machine's Chromium through `host/`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { electronFolder, hostFolder } from './electron-path.ts'

const root = path.dirname(import.meta.dirname)
const require = createRequire(import.meta.url)
const chromium = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium'

if (electronFolder() === undefined) {
  console.log('Halftone: fetching Electron (once)…')
  spawnSync(process.execPath, [require.resolve('electron/install.js')], { stdio: 'ignore', timeout: 300_000 })
}
const inBrowser = electronFolder() === undefined
if (inBrowser && !existsSync(chromium)) {
  console.error('Halftone: no Electron binary can be had here, and no Chromium either.\nInstall one of them (Debian: apt-get install chromium), or name a Chromium in E2E_CHROMIUM.')
  process.exit(1)
}
console.log(inBrowser
  ? `Halftone: no Electron binary can be had here. Opening the app in ${chromium} instead${process.env.DISPLAY ? '' : ' (headless, as DISPLAY is not set)'}.`
  : 'Halftone: opening in Electron.')

await import('./build.ts')
const folder = electronFolder() ?? hostFolder
const executable = path.join(folder, inBrowser ? 'electron' : executableName())
const child = spawn(executable, ['.', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
child.on('exit', (code) => { process.exitCode = code ?? 1 })

function executableName(): string {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron'
  return process.platform === 'win32' ? 'electron.exe' : 'electron'
}
