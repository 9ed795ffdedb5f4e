/**
 * @file The process that stands for Electron's main process. It speaks Electron's launch protocol (`-r FILE`, switches, a
 * folder), answers `require('electron')` with `electron.ts`, and runs the built main bundle as it is.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'
import path from 'node:path'
import { fields, text } from './strict.ts'

const api = new URL('./electron.ts', import.meta.url).href
registerHooks({
  resolve: (name, context, next) =>
    /^electron(\/(main|common|renderer))?$/.test(name) ? { url: api, shortCircuit: true } : next(name, context),
})

const { app, boot } = await import('./electron.ts')
const args = process.argv.slice(2)
process.argv = [process.execPath, ...args]
const require = createRequire(import.meta.url)
const words: string[] = []
for (let i = 0; i < args.length; i++) {
  const [, name, value = ''] = /^--([^=]+)=?(.*)$/.exec(args[i]) ?? []
  if (args[i] === '-r') require(args[++i])
  else if (name === undefined) words.push(args[i])
  else if (!/^(inspect|remote-debugging-port)$/.test(name)) app.commandLine.appendSwitch(name, value)
}
const packaged = path.join(import.meta.dirname, 'resources/app')
const root = existsSync(packaged) ? packaged : path.resolve(words[0] ?? '.')
const manifest = fields(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')))
boot(root, manifest, root === packaged)
require(path.join(root, text(manifest.main) || 'index.js'))
