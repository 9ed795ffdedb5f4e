/** @file The desktop around the app. A test replaces what it expects to be called, as it would in Electron. */
import { emitter, strict, unscripted } from './strict.ts'

export const dialog = unscripted('dialog', ['showOpenDialog', 'showSaveDialog', 'showMessageBox', 'showErrorBox', 'showOpenDialogSync', 'showSaveDialogSync', 'showMessageBoxSync'])
export const shell = unscripted('shell', ['openExternal', 'openPath', 'showItemInFolder', 'trashItem', 'beep'])

interface Item { id?: string; label?: string; role?: string; enabled?: boolean; click?: (...args: unknown[]) => void; submenu?: Item[] | Menu }
export class Menu {
  private static current: Menu | null = null
  items: Item[] = []
  static buildFromTemplate(template: readonly Item[]): Menu {
    const menu = new Menu()
    menu.items = template.map((item) => (Array.isArray(item.submenu) ? { ...item, submenu: Menu.buildFromTemplate(item.submenu) } : { ...item }))
    return menu
  }
  static setApplicationMenu(menu: Menu | null): void { Menu.current = menu }
  static getApplicationMenu(): Menu | null { return Menu.current }
  append(item: Item): void { this.items.push(item) }
  popup(): void { /* a test clicks items by id */ }
  getMenuItemById(id: string): Item | null {
    for (const item of this.items) {
      const found = item.id === id ? item : item.submenu instanceof Menu ? item.submenu.getMenuItemById(id) : null
      if (found) return found
    }
    return null
  }
}

class NativeTheme extends emitter('nativeTheme') {
  private source = 'system'
  get themeSource(): string { return this.source }
  set themeSource(source: string) {
    this.source = source
    this.emit('updated')
  }
  get shouldUseDarkColors(): boolean { return this.source === 'dark' }
}
export const nativeTheme = new NativeTheme()

export class Notification extends emitter('Notification') {
  static isSupported(): boolean { return true }
  readonly title: string
  readonly body: string
  constructor(options: { title?: string; body?: string } = {}) {
    super()
    this.title = options.title ?? ''
    this.body = options.body ?? ''
  }
  show(): void { this.emit('show') }
  close(): void { this.emit('close') }
}

const blockers = new Set<number>()
export const powerSaveBlocker = strict('powerSaveBlocker', {
  start(): number {
    blockers.add(blockers.size + 1)
    return blockers.size
  },
  stop: (id: number): boolean => blockers.delete(id),
  isStarted: (id: number): boolean => blockers.has(id),
})

export const crashReporter = strict('crashReporter', { start() { /* Chromium's own reports are off */ } })
