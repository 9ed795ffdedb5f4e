/**
 * @file `webContents` over one DevTools session: the preload script first and isolated, messages in order, real paths of
 * dropped files.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { app } from './app.ts'
import { bridge } from './bridge.ts'
import type { Session } from './chromium.ts'
import { nativeTheme } from './desktop.ts'
import { ipcMain } from './ipc.ts'
import { pageWorld, preloadWorld } from './page.ts'
import { Relay, type MessagePortMain } from './ports.ts'
import { mapped, original, session } from './scheme.ts'
import { emitter, fields, list, text } from './strict.ts'
import { wire } from './wire.ts'

/** The DevTools protocol carries some 10 MB of text a second: larger buffers go as files. */
const largeBytes = 1 << 18

export interface Owner {
  isDestroyed(): boolean
  close(): void
  loaded(): void
  gone(): void
}
export interface ContentsOptions { readonly width?: number; readonly height?: number; readonly webPreferences?: { readonly preload?: string } }

const scratch = mkdtempSync(path.join(os.tmpdir(), 'e2e-host-'))
process.on('exit', () => { rmSync(scratch, { recursive: true, force: true }) })

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

export class WebContents extends emitter('webContents') {
  private static count = 0
  readonly id = ++WebContents.count
  readonly session = session.defaultSession
  targetId = ''
  private readonly owner: Owner
  private readonly opened: Promise<Session>
  private world = 0
  private url = ''
  private onOpen: (details: { url: string }) => { action: string } = () => ({ action: 'deny' })
  private outbox: Promise<unknown> = Promise.resolve()
  private readonly relay = new Relay((id, data) => { this.deliver({ type: 'port', id, data }) })
  private readonly codec = wire(base64, (saved) => new Uint8Array(Buffer.from(text(saved), 'base64')))

  constructor(owner: Owner, options: ContentsOptions) {
    super()
    this.owner = owner
    this.opened = this.open(options)
    this.opened.catch((cause: unknown) => {
      console.error(cause)
      app.exit(1)
    })
  }

  private async open({ width = 800, height = 600, webPreferences = {} }: ContentsOptions): Promise<Session> {
    const { chromium } = app
    if (!chromium) throw new Error('Cannot create BrowserWindow before app is ready')
    this.targetId = await chromium.openWindow(width, height)
    const { sessionId } = await chromium.send('Target.attachToTarget', { targetId: this.targetId, flatten: true })
    const page = chromium.session(sessionId)
    chromium.on('Target.targetDestroyed', ({ targetId }) => { if (targetId === this.targetId) this.owner.gone() })
    page.on('Runtime.executionContextCreated', ({ context }) => {
      if (context.name === 'preload' && fields(context.auxData).frameId === this.targetId) this.world = context.id
    })
    page.on('Runtime.bindingCalled', ({ name, payload }) => { if (name === '__post') void this.receive(fields(this.codec.unpack(JSON.parse(payload)))) })
    page.on('Debugger.paused', ({ callFrames }) => { void answerPath(page, callFrames[0]) })
    page.on('Page.domContentEventFired', () => { this.emit('dom-ready') })
    page.on('Page.loadEventFired', () => {
      this.emit('did-finish-load')
      this.owner.loaded()
    })
    page.on('Page.frameNavigated', ({ frame }) => { if (frame.parentId === undefined) this.url = original(frame.url) })
    page.on('Inspector.targetCrashed', () => { this.emit('render-process-gone', {}, { reason: 'crashed', exitCode: 1 }) })

    const token = crypto.randomUUID()
    const preload = webPreferences.preload === undefined ? '' : readFileSync(webPreferences.preload, 'utf8')
    const env = JSON.stringify({ platform: process.platform, arch: process.arch, versions: process.versions })
    const { windowId } = await chromium.send('Browser.getWindowForTarget', { targetId: this.targetId })
    const emulate = (): Promise<unknown> =>
      page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: nativeTheme.shouldUseDarkColors ? 'dark' : 'light' }] })
    nativeTheme.on('updated', () => { if (!this.owner.isDestroyed()) void emulate() })
    await Promise.all([
      page.send('Page.enable'), page.send('Runtime.enable'), page.send('DOM.enable'), page.send('Debugger.enable'), page.send('Inspector.enable'),
      page.send('Runtime.addBinding', { name: '__post', executionContextName: 'preload' }),
      page.send('Page.addScriptToEvaluateOnNewDocument', { source: `(${String(pageWorld)})('${token}', ${String(bridge)})` }),
      page.send('Page.addScriptToEvaluateOnNewDocument', {
        worldName: 'preload',
        source: `(${String(preloadWorld)})('${token}', ${env}, ${String(bridge)}, ${String(wire)}, (require, process, module = { exports: {} }, exports = module.exports) => { ${preload}\n })`,
      }),
      chromium.send('Browser.setContentsSize', { windowId, width, height }),
      emulate(),
    ])
    return page
  }

  async loadURL(url: string): Promise<void> {
    const page = await this.opened
    const loaded = once(this, 'did-finish-load')
    const { errorText } = await page.send('Page.navigate', { url: await mapped(url) })
    if (errorText !== undefined) throw new Error(`${errorText} loading '${url}'`)
    await loaded
  }
  async reload(): Promise<void> { await (await this.opened).send('Page.reload') }
  getURL(): string { return this.url }
  isDestroyed(): boolean { return this.owner.isDestroyed() }
  async executeJavaScript(expression: string): Promise<unknown> {
    const page = await this.opened
    const { result, exceptionDetails } = await page.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true, userGesture: true })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void { this.onOpen = handler }
  openDevTools(): void { /* Playwright is the developer tool */ }
  toggleDevTools(): void { /* the same */ }
  close(): void { this.owner.close() }
  forcefullyCrashRenderer(): void { void this.opened.then((page) => page.send('Page.crash')).catch(() => undefined) } // the answer is lost in the crash
  send(channel: string, ...args: unknown[]): void { this.deliver({ type: 'message', channel, args, ports: [] }) }
  postMessage(channel: string, message: unknown, transfer: MessagePortMain[] = []): void {
    this.deliver({ type: 'message', channel, args: [message], ports: transfer.map((port) => this.relay.export(port)) })
  }

  /** Messages to the page, one after the other. */
  private deliver(message: object): void {
    const large: string[] = []
    const { pack } = wire((bytes) => {
      if (bytes.length < largeBytes) return base64(bytes)
      const file = path.join(scratch, crypto.randomUUID())
      writeFileSync(file, bytes)
      return large.push(file) - 1
    }, () => new Uint8Array())
    const packed = JSON.stringify(JSON.stringify(pack(message)))
    this.outbox = this.outbox.then(async () => {
      const page = await this.opened
      const evaluate = (expression: string) => page.send('Runtime.evaluate', { expression, contextId: this.world, awaitPromise: true })
      for (const file of large) {
        const { result } = await evaluate(`{ const input = document.createElement('input'); input.type = 'file'; __inputs.push(input); input }`)
        await page.send('DOM.setFileInputFiles', { objectId: result.objectId ?? '', files: [file] })
      }
      await evaluate(`__deliver(${packed})`)
    }).catch((cause: unknown) => { if (!this.isDestroyed()) console.error('not delivered:', cause) })
  }

  private async receive(message: Record<string, unknown>): Promise<void> {
    const { type, id, data } = message
    const channel = text(message.channel)
    const args = list(message.args)
    if (type === 'port') {
      this.relay.receive(text(id), data)
      return
    }
    if (type === 'open') {
      const url = text(message.url)
      if (this.onOpen({ url }).action !== 'deny') console.error('the stand-in for Electron opens no pop-ups:', url)
      return
    }
    const [, origin = 'null'] = /^([\w-]+:\/\/[^/]*)/.exec(this.url) ?? []
    const ports = list(message.ports).map((name) => this.relay.import(text(name)))
    const event = { sender: this, senderFrame: { url: this.url, origin, parent: null }, ports, reply: this.send.bind(this) }
    if (type === 'send') {
      ipcMain.emit(channel, event, ...args)
      return
    }
    try {
      const handler = ipcMain.handlers.get(channel)
      if (!handler) throw new Error(`No handler registered for '${channel}'`)
      this.deliver({ type: 'reply', id, value: await handler(event, ...args) })
    } catch (cause) {
      this.deliver({ type: 'reply', id, error: new Error(`Error invoking remote method '${channel}': ${String(cause)}`) })
    }
  }
}

/** The page waits at `debugger` in the preload world's `ask`: the one way to answer it while it stands still. */
async function answerPath(page: Session, frame: { callFrameId: string; functionName: string }): Promise<void> {
  if (frame.functionName === 'ask') {
    const evaluate = (expression: string) => page.send('Debugger.evaluateOnCallFrame', { callFrameId: frame.callFrameId, expression })
    const { result } = await evaluate('question')
    const found = await page.send('DOM.getFileInfo', { objectId: result.objectId ?? '' }).catch(() => ({ path: '' })) // a File made in the page has no path
    await evaluate(`place.answer = ${JSON.stringify(found.path)}`)
  }
  await page.send('Debugger.resume')
}
