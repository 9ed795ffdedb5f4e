/** @file Which executable runs the app: real Electron where its binary is, else the stand-in over Chromium in `host/`. */
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** The folder of Electron's own binary, or undefined where it has not been downloaded. */
export function electronFolder(): string | undefined {
  const given = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (given !== undefined) return given
  const folder = path.dirname(createRequire(import.meta.url).resolve('electron/package.json'))
  const named = path.join(folder, 'path.txt')
  if (!existsSync(named)) return undefined
  const file = path.join(folder, 'dist', readFileSync(named, 'utf8'))
  return existsSync(file) ? path.join(folder, 'dist') : undefined
}

export const hostFolder = path.join(import.meta.dirname, 'host')

/** True where the stand-in takes Electron's place. */
export function usesHost(): boolean {
  return (electronFolder() ?? hostFolder) === hostFolder
}
