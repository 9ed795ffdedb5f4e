/** @file Electron's dialogs and shell behind the few things the window may ask of them. */
import { dialog, shell, type BrowserWindow, type FileFilter, type OpenDialogOptions } from 'electron'
import path from 'node:path'
import type { Desktop } from './handlers.ts'

type Purpose = Parameters<Desktop['chooseFile']>[0]

const all: FileFilter = { name: 'All files', extensions: ['*'] }
const dialogs: Readonly<Record<Purpose, OpenDialogOptions>> = {
  model: { title: 'Open model', properties: ['openFile'], filters: [{ name: 'Models', extensions: ['gguf', 'safetensors', 'onnx'] }, all] },
  'model-folder': { title: 'Open model folder', properties: ['openDirectory'] },
  weights: { title: 'Locate the missing file', properties: ['openFile'] },
  data: { title: 'Choose data', properties: ['openFile'], filters: [{ name: 'Text, tables and arrays', extensions: ['txt', 'md', 'jsonl', 'csv', 'parquet', 'npz', 'npy'] }, all] },
  'data-folder': { title: 'Choose data folder', properties: ['openDirectory'] },
  recipe: { title: 'Open recipe', properties: ['openFile'], filters: [{ name: 'Recipes', extensions: ['json'] }, all] },
  output: { title: 'Choose where finished models go', properties: ['openDirectory', 'createDirectory'] },
}

export function createDesktop(window: () => BrowserWindow | undefined): Desktop {
  const lastFolder = new Map<Purpose, string>() // dialogs would begin in Downloads each time
  return {
    async chooseFile(purpose) {
      const defaultPath = lastFolder.get(purpose)
      const options = { ...dialogs[purpose], ...(defaultPath !== undefined && { defaultPath }) }
      const parent = window()
      const { canceled, filePaths } = parent ? await dialog.showOpenDialog(parent, options) : await dialog.showOpenDialog(options)
      const [chosen] = filePaths
      if (canceled || chosen === undefined) return null
      lastFolder.set(purpose, path.dirname(chosen))
      return chosen
    },
    openLink: (url) => shell.openExternal(url),
    showInFolder: (file) => { shell.showItemInFolder(file) },
  }
}
