/**
 * @file A job's folder is the truth about it: `job.json` (request and state), `events.jsonl`, and what the engine keeps there.
 * The queue's order is `queue.json` beside the folders.
 */
import { appendFile, mkdir, readFile, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { TimedEvent, type JobEvent } from '../contract/events.ts'
import { JobRecord } from '../contract/job.ts'
import { readJson, writeJson } from './json-file.ts'

/** A log longer than this is shown from its end. */
const maxEvents = 20_000

export interface JobFolders {
  pathOf: (id: string) => string
  /** All readable jobs, in the queue's order. */
  load: () => Promise<JobRecord[]>
  save: (record: JobRecord) => Promise<void>
  saveOrder: (ids: readonly string[]) => Promise<void>
  remove: (id: string) => Promise<void>
  append: (id: string, event: JobEvent) => Promise<void>
  events: (id: string) => Promise<TimedEvent[]>
}

export function jobFolders(root: string): JobFolders {
  const pathOf = (id: string): string => path.join(root, id)
  // Writes to one file are done one after the other, in the order they were asked for.
  let writes: Promise<unknown> = Promise.resolve()
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const next = writes.then(work, work)
    writes = next.catch(() => undefined) // the caller has the rejection; the chain goes on
    return next
  }
  return {
    pathOf,
    async load() {
      await mkdir(root, { recursive: true })
      const names = await readdir(root)
      const records = (await Promise.all(names.map((name) => readJson(path.join(pathOf(name), 'job.json'), JobRecord)))).filter((record) => record !== undefined)
      const order = (await readJson(path.join(root, 'queue.json'), z.array(z.string()))) ?? []
      const place = (record: JobRecord): number => (order.includes(record.id) ? order.indexOf(record.id) : order.length)
      return records.sort((a, b) => place(a) - place(b) || a.createdAt - b.createdAt)
    },
    save: (record) => inOrder(async () => {
      await mkdir(pathOf(record.id), { recursive: true })
      await writeJson(path.join(pathOf(record.id), 'job.json'), record)
    }),
    saveOrder: (ids) => inOrder(() => writeJson(path.join(root, 'queue.json'), ids)),
    remove: (id) => inOrder(() => rm(pathOf(id), { recursive: true, force: true })),
    append: (id, event) => inOrder(() => appendFile(path.join(pathOf(id), 'events.jsonl'), `${JSON.stringify({ at: Date.now(), ...event })}\n`)),
    async events(id) {
      const text = await readFile(path.join(pathOf(id), 'events.jsonl'), 'utf8').catch(() => '') // nothing said yet
      return text.split('\n').filter((line) => line !== '').slice(-maxEvents).flatMap((line) => {
        try {
          const parsed = TimedEvent.safeParse(JSON.parse(line))
          return parsed.success ? [parsed.data] : []
        } catch {
          return [] // the last line of a log cut off by a crash
        }
      })
    },
  }
}
