/** @file Where everything is: the app's own files (repository or package) and the user's. */
import type { App } from 'electron'
import path from 'node:path'

export interface Paths {
  /** The app's own, read only. */
  readonly page: string
  readonly preload: string
  readonly worker: string
  readonly kernels: string
  readonly sample: string
  /** The user's. */
  readonly settings: string
  readonly projects: string
  readonly jobs: string
  readonly models: string
  readonly logs: string
  readonly defaultOutput: string
}

/** In a package, native code and data lie beside the archive: neither can be opened inside it. */
export function appPaths(app: Pick<App, 'getAppPath' | 'getPath' | 'isPackaged'>, resources: string): Paths {
  const root = app.getAppPath()
  const beside = app.isPackaged ? resources : root
  const user = app.getPath('userData')
  return {
    page: path.join(root, '.vite/renderer/window'),
    preload: path.join(root, '.vite/build/preload.cjs'),
    worker: path.join(root, '.vite/build/worker.cjs'),
    kernels: app.isPackaged ? path.join(resources, 'kernels') : path.join(root, 'kernels/build'),
    sample: path.join(beside, 'assets/sample-model'),
    settings: path.join(user, 'settings.json'),
    projects: path.join(user, 'projects'),
    jobs: path.join(user, 'jobs'),
    models: path.join(user, 'models'),
    logs: app.getPath('logs'),
    defaultOutput: path.join(app.getPath('documents'), 'Halftone'),
  }
}
