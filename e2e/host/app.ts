/** @file `electron.app`: paths, switches, the single-instance lock, and the order of events from ready to quit. */
import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { launchChromium, type Chromium } from './chromium.ts'
import { cancelable, emitter, list, strict } from './strict.ts'

class App extends emitter('app') {
  name = 'Electron'
  isPackaged = false
  readonly dock = undefined
  readonly commandLine = strict('app.commandLine', {
    switches: new Map<string, string>(),
    appendSwitch(name: string, value = '') { this.switches.set(name, value) },
    hasSwitch(name: string) { return this.switches.has(name) },
    getSwitchValue(name: string) { return this.switches.get(name) ?? '' },
  })
  root = ''
  version = ''
  quitting = false
  /** The stand-in's own: every open window, and Chromium once it is up. */
  readonly windows = new Set<{ close(): void }>()
  /** The stand-in's own: running utility processes, by process id. */
  readonly utilities = new Map<number, string>()
  chromium: Chromium | undefined
  private launching: Promise<Chromium> | undefined
  private readonly paths = new Map<string, string>()
  private readonly started = Promise.withResolvers<undefined>()

  whenReady(): Promise<void> { return this.started.promise }
  isReady(): boolean { return this.chromium !== undefined }
  getName(): string { return this.name }
  setName(name: string): void { this.name = name }
  getVersion(): string { return this.version }
  getAppPath(): string { return this.root }
  getLocale(): string { return 'en-US' }
  enableSandbox(): void { /* pages are always sandboxed here */ }
  setAppUserModelId(): void { /* Windows only */ }
  setAboutPanelOptions(): void { /* shown by a menu role */ }
  addRecentDocument(): void { /* macOS and Windows only */ }
  setPath(name: string, value: string): void { this.paths.set(name, value) }
  getPath(name: string): string {
    const home = os.homedir()
    const config = path.join(home, '.config')
    const userData = this.paths.get('userData') ?? (this.commandLine.getSwitchValue('user-data-dir') || path.join(config, this.name))
    const known: Record<string, string> = {
      home, appData: config, userData, temp: os.tmpdir(), exe: process.execPath,
      sessionData: path.join(userData, 'Chromium'), logs: path.join(userData, 'logs'), crashDumps: path.join(userData, 'Crashpad'),
    }
    for (const folder of ['Desktop', 'Documents', 'Downloads', 'Music', 'Pictures', 'Videos']) known[folder.toLowerCase()] = path.join(home, folder)
    const found = this.paths.get(name) ?? (Object.hasOwn(known, name) ? known[name] : undefined)
    if (found === undefined) throw new Error(`Failed to get '${name}' path`)
    return found
  }

  /** The first process of a profile holds the lock; later ones leave their arguments in it and are refused. */
  requestSingleInstanceLock(data: unknown = {}): boolean {
    const folder = this.getPath('userData')
    const lock = path.join(folder, 'instance')
    mkdirSync(folder, { recursive: true })
    const holder = existsSync(lock) ? Number(readFileSync(lock, 'utf8').split('\n')[0]) : 0
    if (holder && existsSync(`/proc/${String(holder)}`)) {
      writeFileSync(lock, `${String(holder)}\n${JSON.stringify([process.argv, process.cwd(), data])}`)
      return false
    }
    writeFileSync(lock, `${String(process.pid)}\n`)
    watch(lock, () => {
      const text = readFileSync(lock, 'utf8').split('\n')[1] ?? ''
      if (text === '') return
      writeFileSync(lock, `${String(process.pid)}\n`)
      this.emit('second-instance', {}, ...list(JSON.parse(text)))
    }).unref()
    return true
  }

  quit(): void {
    const event = cancelable()
    this.emit('before-quit', event)
    if (event.defaultPrevented) return
    this.quitting = true
    for (const window of this.windows) window.close()
    if (this.windows.size === 0) void this.finish()
  }
  async finish(): Promise<void> {
    const event = cancelable()
    this.emit('will-quit', event)
    if (event.defaultPrevented) return
    this.emit('quit', {}, 0)
    await (await this.launching)?.close()
    this.exit(0)
  }
  exit(code = 0): void { process.exit(code) }
  getAppMetrics(): { pid: number; type: string; name?: string }[] {
    return [{ pid: process.pid, type: 'Browser' }, ...Array.from(this.utilities, ([pid, name]) => ({ pid, type: 'Utility', name }))]
  }
  relaunch(): void { throw new Error('the stand-in for Electron does not relaunch') }

  /** The stand-in's own: starts Chromium, then says ready. */
  start(): void {
    this.launching = launchChromium(this.commandLine.switches, this.getPath('sessionData'))
    this.launching.then((chromium) => {
      this.chromium = chromium
      this.emit('ready', {}, {})
      this.started.resolve(undefined)
    }, (cause: unknown) => {
      console.error(cause)
      this.exit(1)
    })
  }
}

export const app = new App()

/** Called once, before the app's main script. */
export function boot(root: string, manifest: Record<string, unknown>, packaged: boolean): void {
  Object.assign(app, { root, name: String(manifest.productName ?? manifest.name), version: String(manifest.version), isPackaged: packaged })
  for (const name of ['electron', 'chrome']) Object.defineProperty(process.versions, name, { value: '0.0.0-stand-in', enumerable: true })
  Object.assign(process, { type: 'browser', resourcesPath: path.join(import.meta.dirname, 'resources'), defaultApp: !packaged })
  setImmediate(() => { app.start() })
}
