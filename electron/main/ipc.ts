/** @file The only file that touches ipcMain: two channels, both only for the main frame of the app's own page. */
import type { WebFrameMain } from 'electron'
import { AppError, errorFields, type Result } from '../contract/errors.ts'
import { dispatch, type Handlers } from './dispatch.ts'
import type { Files } from './files.ts'

type Frame = Pick<WebFrameMain, 'origin' | 'parent'> | null
interface InvokeEvent { readonly senderFrame: Frame }
/** The part of ipcMain used here; a test brings its own. */
export interface Ipc { handle: (channel: string, listener: (event: InvokeEvent, ...args: unknown[]) => Promise<unknown>) => void }

/** Throws unless the message came from the top frame of one of the app's own pages. */
export function checkSender(frame: Frame, origins: readonly string[]): void {
  if (!frame || frame.parent || !origins.includes(frame.origin)) throw new AppError('bad-request', 'the sender is not the main frame of the app')
}

/** Serves `api` (every call of the page) and `adopt` (real paths of dropped files, which only the preload script can send). */
export function serveIpc(ipc: Ipc, handlers: Handlers, files: Files, origins: readonly string[]): void {
  // senderFrame must be read before the first await: it is null once the frame is gone.
  ipc.handle('api', async (event, channel, raw) => {
    checkSender(event.senderFrame, origins)
    return dispatch(handlers, channel, raw)
  })
  ipc.handle('adopt', async (event, file): Promise<Result<unknown>> => {
    checkSender(event.senderFrame, origins)
    try {
      if (typeof file !== 'string' || file === '') throw new AppError('file-missing', 'what was dropped is not a file on this machine', { hint: 'Save it first, then drop it from its folder.' })
      return { ok: true, value: await files.adopt(file) }
    } catch (cause) {
      return { ok: false, error: errorFields(cause) }
    }
  })
}
