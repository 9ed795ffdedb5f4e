/** @file The app's log: one file, kept small by starting over once it is full. Nothing leaves the machine. */
import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'

/** Enough for months of ordinary use; one older file is kept beside it. */
const maxBytes = 2_000_000

export type Log = (text: string) => void

/** Appends lines to `folder`/main.log. A log that cannot be written must not stop the app. */
export function createLog(folder: string): Log {
  const file = path.join(folder, 'main.log')
  return (text) => {
    try {
      mkdirSync(folder, { recursive: true })
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, path.join(folder, 'main.1.log'))
      appendFileSync(file, `${new Date().toISOString()} ${text}\n`)
    } catch (cause) {
      console.error(text, cause)
    }
  }
}
