/** @file Puts the parts of main together once Electron is ready. */
import { app, BrowserWindow, dialog, ipcMain, nativeTheme, session } from 'electron'
import os from 'node:os'
import type { AppEvent, Snapshot } from '../contract/api.ts'
import { appOrigin } from './asset.ts'
import { createAttention } from './attention.ts'
import { askBeforeClosing } from './closing.ts'
import { createDesk } from './desk.ts'
import { createDesktop } from './desktop.ts'
import { createEngineHost, type EngineHost } from './engine-host.ts'
import { startEngineProcess } from './engine-process.ts'
import { createFiles } from './files.ts'
import { guardPermissions } from './guards.ts'
import { createHandlers } from './handlers.ts'
import { serveIpc } from './ipc.ts'
import { jobFolders } from './job-folder.ts'
import { createJobs } from './jobs.ts'
import { createLog, type Log } from './log.ts'
import { setMenu } from './menu.ts'
import { watchOpenedFiles } from './opened-files.ts'
import { createOutbox } from './outbox.ts'
import { appPaths, type Paths } from './paths.ts'
import { createProjects } from './projects.ts'
import { pageAddress, servePage } from './protocol.ts'
import { obstacleOf } from './requests.ts'
import { createRunner } from './runners.ts'
import { selfTest } from './self-test.ts'
import { createSettings } from './settings-store.ts'
import { createWindow } from './window.ts'

/** Set by Forge's development server; undefined in a built app. */
declare const WINDOW_VITE_DEV_SERVER_URL: string | undefined

/** The engine as this app starts it. */
function engineHost(paths: Paths, log: Log, onState: Parameters<typeof createEngineHost>[0]['onState']): EngineHost {
  return createEngineHost({ start: () => startEngineProcess(paths.worker, { HALFTONE_KERNELS: paths.kernels }), onState, log })
}

export async function startApp(): Promise<void> {
  const paths = appPaths(app, process.resourcesPath)
  const log = createLog(paths.logs)
  process.on('uncaughtException', (cause) => {
    log(`main: ${cause.stack ?? cause.message}`)
    dialog.showErrorBox('Halftone has to close', `${cause.message}\n\nFinished work is kept. The log is in ${paths.logs}.`)
    app.exit(1)
  })
  if (app.commandLine.hasSwitch('self-test')) {
    app.exit(await selfTest(engineHost(paths, log, () => undefined), paths.sample, console.log))
    return
  }

  guardPermissions(session.defaultSession)
  const devServer = typeof WINDOW_VITE_DEV_SERVER_URL === 'string' ? WINDOW_VITE_DEV_SERVER_URL : undefined
  const address = devServer ?? pageAddress
  if (devServer === undefined) servePage(paths.page)

  let window: BrowserWindow | undefined
  const current = (): BrowserWindow | undefined => (window?.isDestroyed() === false ? window : undefined)
  const outbox = createOutbox((event) => { current()?.webContents.send('event', event) })
  const say = (event: AppEvent): void => { outbox.send(event) }

  const settings = await createSettings(paths.settings, (next) => {
    nativeTheme.themeSource = next.theme
    say({ type: 'settings', settings: next, outputFolder: next.outputFolder ?? paths.defaultOutput })
    jobs.pump()
  })
  nativeTheme.themeSource = settings.get().theme
  const engine = engineHost(paths, log, (state, memoryBytes) => { say({ type: 'engine', state, memoryBytes }) })
  const files = createFiles()
  const projects = createProjects(paths.projects)
  const desk = createDesk({
    projects, engine,
    onProject: (open) => {
      say({ type: 'project', open })
      void projects.list().then((recent) => { say({ type: 'recent', recent }) })
    },
    onSensitivity: ({ sensitivity }) => { say({ type: 'sensitivity', sensitivity }) },
  })
  const attention = createAttention(current, settings.get)
  const jobs = await createJobs({
    folders: jobFolders(paths.jobs), run: createRunner(engine), obstacle: obstacleOf, isHeld: () => settings.get().holdQueue,
    onJob: (job) => {
      say({ type: 'job', job })
      attention.update(jobs.list(), job)
      if (job.request.kind === 'measure' && job.endedAt !== null && desk.current()?.project.id === job.project) void desk.readSensitivity()
    },
    onEvent: (id, event) => { outbox.sendJobEvent(id, { ...event, at: Date.now() }) },
    onOrder: (ids) => { say({ type: 'order', ids }) },
  })

  const early: string[] = [] // files handed over before the page listened
  let isPageReady = false
  const announce = (file: string): void => {
    if (!isPageReady) early.push(file)
    else void files.adopt(file).then((handle) => { say({ type: 'opened', file: handle }) }, (cause: unknown) => { log(`open: ${String(cause)}`) })
  }
  const snapshot = async (): Promise<Snapshot> => {
    isPageReady = true
    early.splice(0).forEach(announce)
    return {
      seq: outbox.seq(), version: app.getVersion(), platform: process.platform, machine: { memoryBytes: os.totalmem(), cores: os.availableParallelism() },
      settings: settings.get(), outputFolder: settings.get().outputFolder ?? paths.defaultOutput, open: desk.current(), recent: await projects.list(), jobs: [...jobs.list()], engine: engine.state(),
    }
  }
  const handlers = createHandlers({ desk, engine, files, jobs, projects, settings, desktop: createDesktop(current), snapshot, paths })
  serveIpc(ipcMain, handlers, files, devServer === undefined ? [appOrigin] : [new URL(devServer).origin])
  setMenu((command) => { say({ type: 'command', command }) })

  const openWindow = (): void => {
    isPageReady = false
    window = createWindow({ preload: paths.preload, address, isDark: nativeTheme.shouldUseDarkColors, log })
    askBeforeClosing(app, window, jobs)
  }
  watchOpenedFiles(app, announce, () => { current()?.show() })
  app.on('activate', () => { if (BrowserWindow.getAllWindows().length === 0) openWindow() })
  openWindow()
}
