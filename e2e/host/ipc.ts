/** @file `electron.ipcMain`. */
import { emitter } from './strict.ts'

export type Invoked = (event: object, ...args: unknown[]) => unknown

class IpcMain extends emitter('ipcMain') {
  readonly handlers = new Map<string, Invoked>()
  handle(channel: string, handler: Invoked): void {
    if (this.handlers.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`)
    this.handlers.set(channel, handler)
  }
  removeHandler(channel: string): void { this.handlers.delete(channel) }
}
export const ipcMain = new IpcMain()
