/**
 * @file The application's own numbers, on the built app with the sample model: time to the first content of the window, reactions
 * to clicks and the longest task of the page while a job runs, a plan solved again, memory and frames with ten thousand tensors,
 * and the script the page starts with. Clock times on a busy machine say little: look at `load`, and at processor times.
 */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { ElectronApplication, Page } from 'playwright-core'
import { usesHost } from './electron-path.ts'
import { launch } from './launch.ts'
import { writeLargeModel } from './large-model.ts'
import { initialScriptBytes, mainThreadMs, quantile, rendererBytes, scrollFrames, seen, watch } from './page-meter.ts'
import { sampleModel, writeTexts } from './texts.ts'
import { openModel, railLink, stepHeading, walkToBudget, workMs } from './wizard.ts'

const root = path.dirname(import.meta.dirname)
const starts = 5
const solves = 10
const round = (value: number): number => Math.round(value * 10) / 10

type Line = Record<string, unknown>

async function withApp<T>(work: (app: ElectronApplication, page: Page, folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-bench-'))
  const app = await launch(folder)
  try {
    const page = await app.firstWindow()
    await page.locator('[data-app-state="ready"]').waitFor()
    return await work(app, page, folder)
  } finally {
    await app.close()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** From the start of the process to the first paint that has content, as the browser noted it. */
async function start(): Promise<Line> {
  const times: number[] = []
  for (let i = 0; i < starts; i++) {
    const begun = Date.now()
    times.push(await withApp((_app, page) => page.evaluate(() => new Promise<number>((resolve) => {
      new PerformanceObserver((list) => {
        const paint = list.getEntriesByName('first-contentful-paint').at(0)
        if (paint) resolve(performance.timeOrigin + paint.startTime)
      }).observe({ type: 'paint', buffered: true })
    })).then((at) => at - begun)))
  }
  return { what: 'window content after process start', bestMs: round(Math.min(...times)), medianMs: round(quantile(times, 0.5)), times: times.map(round) }
}

/** Goes through the steps while layers are measured. */
async function clicksDuringJob(): Promise<Line[]> {
  return withApp(async (app, page, folder) => {
    await walkToBudget(app, page, await writeTexts(folder))
    const plan = await solveAgain(page)
    await railLink(page, 'Sensitivity').click()
    await page.getByText('How to measure').click()
    await page.getByLabel('Metric').selectOption('kl-scaled') // the longest
    await page.getByLabel('Rounding').selectOption('gptq')
    await page.getByRole('button', { name: /^Measure \d+ layers/ }).click()
    await page.getByRole('button', { name: 'Pause', exact: true }).waitFor({ timeout: workMs })
    for (const step of ['Model', 'Data', 'Bit budget', 'Run', 'Compare', 'Export', 'Sensitivity']) { // the first visit loads a step's script
      await railLink(page, step).click()
      await stepHeading(page, step).waitFor()
    }
    await watch(page)
    const begun = performance.now()
    const busyMs = await mainThreadMs(folder, async () => {
      for (let i = 0; i < 3; i++) {
        for (const step of ['Model', 'Data', 'Bit budget', 'Run', 'Compare', 'Export', 'Sensitivity']) {
          await railLink(page, step).click()
          await stepHeading(page, step).waitFor()
        }
      }
    })
    const wallMs = performance.now() - begun
    const { eventsMs, longTasksMs } = await seen(page)
    await page.getByRole('button', { name: 'Pause', exact: true }).click() // the window asks before it closes on a running job
    await page.getByText(/^Paused/).first().waitFor({ timeout: workMs })
    return [
      { what: 'clicks while a job runs, to the next paint', clicks: 21, slowerThan16Ms: eventsMs.length, medianMs: round(quantile(eventsMs, 0.5)), maxMs: round(Math.max(0, ...eventsMs)) },
      { what: 'tasks of the page over 50 ms while a job runs', count: longTasksMs.length, maxMs: round(Math.max(0, ...longTasksMs)), mainThreadMs: round(busyMs), wallMs: round(wallMs) },
      plan,
    ]
  })
}

/** The call the Bit budget step makes for each change, with another size each time. */
async function solveAgain(page: Page): Promise<Line> {
  const calls = await page.evaluate(async (count) => {
    const halftone = Reflect.get(window, 'halftone') as { call: (channel: string, input: unknown) => Promise<{ ok: boolean; value: { elapsedMs: number; recipe: { choice: unknown[] } } }> }
    const made: { callMs: number; solveMs: number; layers: number }[] = []
    for (let i = 0; i < count; i++) {
      const before = performance.now()
      const { value } = await halftone.call('plan.solve', { target: 'gguf', budget: { kind: 'bits', value: 3.5 + i / 10 }, pins: {}, correction: 'none' })
      made.push({ callMs: performance.now() - before, solveMs: value.elapsedMs, layers: value.recipe.choice.length })
    }
    return made
  }, solves)
  return { what: 'plan solved again', layers: calls[0]?.layers, bestMs: round(Math.min(...calls.map(({ callMs }) => callMs))), medianMs: round(quantile(calls.map(({ callMs }) => callMs), 0.5)), solverMs: round(quantile(calls.map(({ solveMs }) => solveMs), 0.5)) }
}

async function largeModel(): Promise<Line[]> {
  return withApp(async (app, page, folder) => {
    const model = path.join(folder, 'large')
    const tensors = await writeLargeModel(model, sampleModel)
    const begun = performance.now()
    await openModel(app, page, model)
    const openMs = performance.now() - begun
    await scrollFrames(page, 'Tensors', 200, 20)
    const frames = 120
    let gaps: number[] = []
    const busyMs = await mainThreadMs(folder, async () => { gaps = await scrollFrames(page, 'Tensors', 600, frames) })
    return [
      { what: 'ten thousand tensors opened and shown', tensors, openMs: round(openMs) },
      { what: 'frames while ten thousand tensors are scrolled', mainThreadMsPerFrame: round(busyMs / frames), medianMs: round(quantile(gaps, 0.5)), p95Ms: round(quantile(gaps, 0.95)) },
      { what: 'memory of the page with ten thousand tensors', privateMB: round((await rendererBytes(folder)) / 1e6) },
    ]
  })
}

export async function bench(): Promise<readonly Line[]> {
  const built = spawnSync(process.execPath, ['e2e/build.ts'], { cwd: root, stdio: 'inherit' })
  if (built.status !== 0) throw new Error('the app could not be built')
  const lines = [
    await start(), ...(await clicksDuringJob()), ...(await largeModel()),
    { what: 'script the page starts with', gzipKB: round((await initialScriptBytes(path.join(root, '.vite/renderer/window'))) / 1000) },
  ]
  return lines.map((line) => ({ ...line, in: usesHost() ? 'Chromium host' : 'Electron', load: round(os.loadavg()[0]) }))
}
