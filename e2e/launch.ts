/** @file Starting the built app in a test, and what tests do to it from outside. The same in Electron and in the host. */
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { _electron, type ElectronApplication, type Locator } from 'playwright-core'
import { hostFolder, usesHost } from './electron-path.ts'

/** How long anything is waited for that takes a moment on a machine at rest: long, as a busy one proves nothing. */
export const patienceMs = 300_000

/** Starts the built app with its own profile in `folder`. */
export async function launch(folder: string, args: readonly string[] = []): Promise<ElectronApplication> {
  const app = await _electron.launch({
    args: ['.', `--user-data-dir=${path.join(folder, 'profile')}`, ...args],
    cwd: path.dirname(import.meta.dirname),
    env: { ...definedEnv(), HOME: path.join(folder, 'home') },
    ...executable(),
    colorScheme: null, // nativeTheme decides, not Playwright's default
    timeout: patienceMs,
  })
  app.context().setDefaultTimeout(patienceMs)
  if (process.env.E2E_VERBOSE !== undefined) {
    app.process().stderr?.pipe(process.stderr)
    app.process().stdout?.pipe(process.stderr)
  }
  return app
}

/** Nothing where Electron's binary is, as Playwright finds it; else the stand-in's. */
export function executable(): { executablePath?: string } {
  return usesHost() ? { executablePath: path.join(hostFolder, 'electron') } : {}
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** Answers the file dialogs from now on, in the main process. */
export function answerOpenDialog(app: ElectronApplication, filePaths: readonly string[]): Promise<void> {
  return app.evaluate(({ dialog }, paths) => {
    dialog.showOpenDialog = () => Promise.resolve({ canceled: paths.length === 0, filePaths: paths })
  }, [...filePaths])
}

/** The process of the engine. */
export function engineOf(app: ElectronApplication): Promise<number> {
  return app.evaluate(({ app: main }) => {
    const { pid } = main.getAppMetrics().find((metric) => metric.type === 'Utility' && metric.name === 'Halftone engine') ?? {}
    if (pid === undefined) throw new Error('there is no engine process')
    return pid
  })
}

/** The browser answers a drag at once, or, seldom and on a busy machine, never. */
const dragMs = 30_000

/** Drops real files from the desktop, so that they have paths. */
export async function dropFiles(target: Locator, files: readonly string[]): Promise<void> {
  const box = await target.boundingBox()
  if (!box) throw new Error('nothing to drop on')
  const devtools = await target.page().context().newCDPSession(target.page())
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    const answered = devtools.send('Input.dispatchDragEvent', {
      type, x: box.x + box.width / 2, y: box.y + box.height / 2, data: { items: [], files: [...files], dragOperationsMask: 1 },
    })
    const late = setTimeout(dragMs, null, { ref: false }).then(() => { throw new Error(`the browser has not answered ${type} for ${dragMs} ms`) })
    await Promise.race([answered, late])
  }
  await devtools.detach()
}
