/** @file What a page costs: processor time of its main thread, frames, long tasks, reactions to input, memory, script sent. */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { gzipSync } from 'node:zlib'

/**
 * Runs `work` and returns the processor time that the page's main thread took for it, in milliseconds (Linux): time of the
 * thread, not of the clock, so that other programs on the machine do not count. `profile` tells the app's processes from others.
 */
export async function mainThreadMs(profile: string, work: () => Promise<unknown>): Promise<number> {
  const { pid } = await pageProcess(profile)
  const read = async (): Promise<number> => Number((await readFile(`/proc/${pid}/task/${pid}/schedstat`, 'utf8')).split(' ')[0]) / 1e6
  const before = await read()
  await work()
  return (await read()) - before
}

/** Scrolls the element of this label by `pixels` a frame, `frames` times, and returns the milliseconds between frames. */
export function scrollFrames(page: Page, label: string, pixels: number, frames: number): Promise<number[]> {
  return page.getByLabel(label, { exact: true }).evaluate((element, { pixels, frames }) => new Promise<number[]>((resolve) => {
    const gaps: number[] = []
    let last = 0
    const step = (now: number): void => {
      if (last > 0) gaps.push(now - last)
      last = now
      if (gaps.length === frames) {
        resolve(gaps)
        return
      }
      element.scrollTop += pixels
      requestAnimationFrame(step)
    }
    requestAnimationFrame(step)
  }), { pixels, frames })
}

/** What the browser saw since `watch`: tasks over 50 ms, and events whose next paint came 16 ms later or more. */
export interface Seen {
  readonly longTasksMs: readonly number[]
  readonly eventsMs: readonly number[]
}

/** Starts watching the page. */
export function watch(page: Page): Promise<void> {
  return page.evaluate(() => {
    const seen = { longTasksMs: [] as number[], eventsMs: [] as number[] }
    Object.assign(window, { seen })
    new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) seen.longTasksMs.push(duration) }).observe({ type: 'longtask' })
    new PerformanceObserver((list) => { for (const { duration, name } of list.getEntries()) if (name === 'click') seen.eventsMs.push(duration) }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)
  })
}

export function seen(page: Page): Promise<Seen> {
  return page.evaluate(() => Reflect.get(window, 'seen') as Seen)
}

/** Memory of the page's process that no other shares, in bytes (Linux). */
export async function rendererBytes(profile: string): Promise<number> {
  return (await pageProcess(profile)).bytes
}

/** The renderer of this profile that holds most memory of its own: the others serve the browser. */
async function pageProcess(profile: string): Promise<{ readonly pid: string; readonly bytes: number }> {
  let largest = { pid: '', bytes: 0 }
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    try {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
      if (!command.includes(profile) || !command.includes('--type=renderer')) continue
      const memory = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
      const bytes = 1024 * Array.from(memory.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm), ([, size]) => Number(size)).reduce((sum, size) => sum + size, 0)
      if (bytes > largest.bytes) largest = { pid, bytes }
    } catch {
      continue // the process has ended meanwhile
    }
  }
  if (largest.pid === '') throw new Error(`no page runs in ${profile}`)
  return largest
}

/** Bytes, compressed by gzip, of the scripts that the built page loads before anything is asked of it. */
export async function initialScriptBytes(page: string): Promise<number> {
  const html = await readFile(path.join(page, 'index.html'), 'utf8')
  const waiting = Array.from(html.matchAll(/<(?:script|link rel="modulepreload")[^>]*(?:src|href)="\.?\/?([^"]+\.js)"/g), ([, file]) => path.join(page, file))
  const loaded = new Map<string, number>()
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (loaded.has(file)) continue
    const text = await readFile(file, 'utf8')
    loaded.set(file, gzipSync(text).length)
    for (const [, name] of text.matchAll(/(?:^|[;}])import\s*(?:[^"'()]*?from\s*)?["'](\.[^"']+\.js)["']/g)) waiting.push(path.join(path.dirname(file), name))
  }
  return Array.from(loaded.values()).reduce((sum, size) => sum + size, 0)
}

/** The smallest value that a share `at` (0 to 1) of the sorted values does not exceed. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(at * sorted.length) - 1))] ?? Number.NaN
}
