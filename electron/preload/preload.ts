/** @file All the page gets: three functions. No Electron type, no channel name and no event object passes through. */
import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron'
import type { Preload, Sequenced } from '../contract/api.ts'

const preload: Preload = {
  call: (channel, input) => ipcRenderer.invoke('api', channel, input),
  onEvent: (listener) => {
    const hear = (_event: IpcRendererEvent, event: Sequenced): void => { listener(event) }
    ipcRenderer.on('event', hear)
    return () => { ipcRenderer.off('event', hear) }
  },
  // The path goes straight to main, which answers with a handle: the page never sees or names one.
  adoptFile: (file) => ipcRenderer.invoke('adopt', webUtils.getPathForFile(file)),
}
contextBridge.exposeInMainWorld('halftone', preload)
