/** @file Stands for the `electron` module in the main process. What the app may use and this does not have, throws by name. */
export { app, boot } from './app.ts'
export { crashReporter, dialog, Menu, nativeTheme, Notification, powerSaveBlocker, shell } from './desktop.ts'
export { ipcMain } from './ipc.ts'
export { MessageChannelMain } from './ports.ts'
export { net, protocol, session } from './scheme.ts'
export { utilityProcess } from './utility-process.ts'
export { BrowserWindow, webContents } from './window.ts'
