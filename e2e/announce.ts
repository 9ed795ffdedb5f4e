/** @file Says, once a run, what the specs run in. */
import { usesHost } from './electron-path.ts'

export default function announce(): void {
  console.log(usesHost() ? 'e2e: no Electron binary here; the built app runs in Chromium through e2e/host' : 'e2e: the built app runs in Electron')
}
