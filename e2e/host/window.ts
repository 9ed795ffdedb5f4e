/** @file `electron.BrowserWindow`: one Chromium window each; show, hide and focus only keep flags and emit events. */
import { pathToFileURL } from 'node:url'
import path from 'node:path'
import { app } from './app.ts'
import { WebContents, type ContentsOptions } from './contents.ts'
import { cancelable, emitter, strict } from './strict.ts'

interface WindowOptions extends ContentsOptions { readonly show?: boolean; readonly title?: string }

export class BrowserWindow extends emitter('BrowserWindow') {
  private static readonly all = new Set<BrowserWindow>()
  private static count = 0
  static getAllWindows(): BrowserWindow[] { return [...BrowserWindow.all] }
  static fromWebContents(contents: WebContents): BrowserWindow | null { return BrowserWindow.getAllWindows().find((window) => window.webContents === contents) ?? null }
  static fromId(id: number): BrowserWindow | null { return BrowserWindow.getAllWindows().find((window) => window.id === id) ?? null }
  static getFocusedWindow(): BrowserWindow | null { return BrowserWindow.getAllWindows().at(-1) ?? null }

  readonly id = ++BrowserWindow.count
  readonly webContents: WebContents
  private visible: boolean
  private shown = false
  private title: string
  private progress = -1

  constructor(options: WindowOptions = {}) {
    super()
    this.visible = options.show ?? true
    this.title = options.title ?? app.name
    this.webContents = new WebContents(this, options)
    BrowserWindow.all.add(this)
    app.windows.add(this)
    app.emit('web-contents-created', {}, this.webContents)
    setImmediate(() => app.emit('browser-window-created', {}, this))
  }
  loadURL(url: string): Promise<void> { return this.webContents.loadURL(url) }
  loadFile(file: string): Promise<void> { return this.loadURL(pathToFileURL(path.resolve(app.root, file)).href) }
  show(): void {
    this.visible = true
    this.emit('show')
  }
  hide(): void {
    this.visible = false
    this.emit('hide')
  }
  isVisible(): boolean { return this.visible }
  isFocused(): boolean { return this.visible }
  isMinimized(): boolean { return false }
  isMaximized(): boolean { return false }
  restore(): void { this.emit('restore') }
  focus(): void { this.emit('focus') }
  getTitle(): string { return this.title }
  setTitle(title: string): void { this.title = title }
  setMenu(): void { /* no menu bar here */ }
  setBackgroundColor(): void { /* painted before the page; not seen here */ }
  setProgressBar(progress: number): void { this.progress = progress }
  /** The stand-in's own, as Electron has no getter: what the dock would show. */
  getProgressBar(): number { return this.progress }
  flashFrame(): void { /* no task bar here */ }
  isDestroyed(): boolean { return !BrowserWindow.all.has(this) }
  close(): void {
    const event = cancelable()
    this.emit('close', event)
    if (event.defaultPrevented) app.quitting = false
    else this.destroy()
  }
  destroy(): void { app.chromium?.send('Target.closeTarget', { targetId: this.webContents.targetId }).catch(() => { this.gone() }) }
  loaded(): void {
    if (this.shown) return
    this.shown = true
    this.emit('ready-to-show')
  }
  gone(): void {
    if (!BrowserWindow.all.delete(this)) return
    app.windows.delete(this)
    this.webContents.emit('destroyed')
    this.emit('closed')
    if (BrowserWindow.all.size > 0) return
    if (app.quitting) void app.finish()
    else if (!app.emit('window-all-closed')) app.quit()
  }
}

const allContents = (): WebContents[] => BrowserWindow.getAllWindows().map((window) => window.webContents)
export const webContents = strict('webContents', {
  getAllWebContents: allContents,
  fromId: (id: number) => allContents().find((contents) => contents.id === id),
  fromDevToolsTargetId: (id: string) => allContents().find((contents) => contents.targetId === id),
})
