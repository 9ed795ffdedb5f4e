/**
 * @file The job queue. Main owns it; the folders are the truth. Jobs of one lane run one at a time, in order; a job that is
 * stopped keeps what it finished and resumes there.
 */
import { randomUUID } from 'node:crypto'
import { AppError, errorFields } from '../contract/errors.ts'
import type { JobEvent, TimedEvent } from '../contract/events.ts'
import { activeStates, resumableStates, type JobKind, type JobRecord, type JobRequest } from '../contract/job.ts'
import type { JobFolders } from './job-folder.ts'
import { move, type JobAction } from './job-state.ts'

/** How often a job that was held for want of room looks again. */
const retryMs = 5000

/** What runs at the same time: one engine job, one download, and short texts beside them. */
const lanes = { measure: 'engine', run: 'engine', evaluate: 'engine', generate: 'text', download: 'network' } as const satisfies Record<JobKind, string>

export interface JobTools { readonly folder: string; readonly signal: AbortSignal; readonly report: (event: JobEvent) => void }
export type Runner = (job: JobRecord, tools: JobTools) => Promise<unknown>

export interface JobsOptions {
  readonly folders: JobFolders
  readonly run: Runner
  /** Why this job cannot start now ("needs 3 GB, 1 GB is free"), or null; `isInsisted`: the user wants it started all the same, where it can be. */
  readonly obstacle: (job: JobRecord, isInsisted: boolean) => Promise<string | null>
  /** True while nothing new may start. */
  readonly isHeld: () => boolean
  readonly onJob: (job: JobRecord) => void
  readonly onEvent: (id: string, event: JobEvent) => void
  readonly onOrder: (ids: readonly string[]) => void
}

export interface Jobs {
  list: () => readonly JobRecord[]
  find: (id: string) => JobRecord
  start: (request: JobRequest, about: { readonly title: string; readonly project: string | null }) => Promise<JobRecord>
  pause: (id: string) => void
  /** With a request where it is to go on otherwise than it began. */
  resume: (id: string, request?: JobRequest) => void
  cancel: (id: string) => void
  remove: (id: string) => Promise<void>
  /** Puts a job before another, or last. */
  shift: (id: string, before: string | null) => void
  duplicate: (id: string) => Promise<JobRecord>
  events: (id: string) => Promise<TimedEvent[]>
  active: () => readonly JobRecord[]
  /** Starts what can start: after a setting changed. */
  pump: () => void
  /** Resolves when nothing runs any more. */
  settled: () => Promise<void>
}

/** Loads the queue as the last session left it: what ran is interrupted, what waited is paused. */
export async function createJobs(options: JobsOptions): Promise<Jobs> {
  const { folders, run, obstacle, isHeld, onJob, onEvent, onOrder } = options
  const jobs = new Map<string, JobRecord>()
  const running = new Map<string, { abort: AbortController; ended: Promise<void> }>()
  let retry: ReturnType<typeof setTimeout> | undefined

  const find = (id: string): JobRecord => {
    const job = jobs.get(id)
    if (!job) throw new AppError('bad-request', 'there is no such job in the queue')
    return job
  }
  const change = (job: JobRecord, patch: Partial<JobRecord>): void => {
    const next = { ...find(job.id), ...patch }
    jobs.set(job.id, next)
    onJob(next)
    void folders.save(next)
  }
  /** Applies an action; false where the job's state does not allow it. */
  const act = (job: JobRecord, action: JobAction, patch: Partial<JobRecord> = {}): boolean => {
    const state = move(find(job.id).state, action)
    if (state) change(job, { ...patch, state })
    return state !== undefined
  }
  const order = (): void => {
    const ids = [...jobs.keys()]
    onOrder(ids)
    void folders.saveOrder(ids)
  }

  for (const job of await folders.load()) {
    const lost = activeStates.includes(job.state)
    const state = job.state === 'cancelling' ? 'cancelled' : job.state === 'pausing' || job.state === 'waiting' ? 'paused' : lost ? 'interrupted' : job.state
    const reason = lost ? 'Halftone was closed while this ran.' : job.state === 'waiting' ? 'It was waiting when Halftone was closed.' : job.reason
    jobs.set(job.id, { ...job, state, reason })
    if (state !== job.state) await folders.save({ ...job, state, reason })
  }

  function note(job: JobRecord, event: JobEvent): void {
    const now = find(job.id)
    if (event.type === 'stage') jobs.set(job.id, { ...now, stage: event.stage, done: 0, total: event.total ?? 0, item: '', remainingMs: null })
    if (event.type === 'progress') jobs.set(job.id, { ...now, stage: event.stage, done: event.done, total: event.total, item: event.item, remainingMs: event.remainingMs })
    if (event.type === 'log' && event.level === 'warning') jobs.set(job.id, { ...now, warnings: [...now.warnings, event.text] })
    // A run writes its own log into its folder; what others say is kept here.
    if (job.request.kind !== 'run') void folders.append(job.id, event)
    onEvent(job.id, event)
  }

  async function work(job: JobRecord, signal: AbortSignal): Promise<void> {
    const begun = Date.now()
    const worked = (): Partial<JobRecord> => ({ workedMs: job.workedMs + Date.now() - begun, endedAt: Date.now(), remainingMs: null })
    try {
      const result = await run(job, { folder: folders.pathOf(job.id), signal, report: (event) => { note(job, event) } })
      act(job, find(job.id).warnings.length > 0 ? 'finish-with-warnings' : 'finish', { ...worked(), result, error: null, reason: null })
    } catch (cause) {
      const error = { ...errorFields(cause) }
      if (error.code === 'cancelled') act(job, 'stopped', { ...worked(), error: null })
      else if (error.code === 'engine-stopped' || error.code === 'out-of-memory') act(job, 'interrupt', { ...worked(), error, reason: error.message })
      else if (error.code === 'disk-full' && act(job, 'hold', { ...worked(), error: null, reason: error.message })) waitForRoom(job.id)
      else act(job, 'fail', { ...worked(), error })
    }
  }

  const withoutRoom = new Set<string>()
  const insisted = new Set<string>()
  function waitForRoom(id: string): void {
    withoutRoom.add(id)
    clearTimeout(retry)
    retry = setTimeout(() => { for (const waiting of withoutRoom) void lookAgain(waiting) }, retryMs)
    retry.unref()
  }
  async function lookAgain(id: string): Promise<void> {
    const job = jobs.get(id)
    withoutRoom.delete(id)
    if (job?.state !== 'paused') return // the user resumed, cancelled or removed it meanwhile
    if ((await obstacle(job, false)) === null) goOn(id)
    else waitForRoom(id)
  }

  function goOn(id: string, changed: Partial<JobRecord> = {}): void {
    if (resumableStates.includes(find(id).state) && act(find(id), 'resume', { ...changed, reason: null })) pump()
  }

  async function begin(job: JobRecord): Promise<void> {
    const abort = new AbortController()
    const ended = Promise.withResolvers<undefined>()
    running.set(job.id, { abort, ended: ended.promise }) // claims the lane before the first await
    try {
      const reason = await obstacle(job, insisted.delete(job.id))
      if (find(job.id).state !== 'waiting') return
      if (reason !== null) {
        if (act(job, 'hold', { reason })) waitForRoom(job.id)
        return
      }
      act(job, 'start', { startedAt: find(job.id).startedAt ?? Date.now(), endedAt: null, reason: null, error: null, warnings: [] })
      await work(find(job.id), abort.signal)
    } finally {
      running.delete(job.id)
      ended.resolve(undefined)
      pump()
    }
  }

  function pump(): void {
    if (isHeld()) return
    for (const lane of new Set(Object.values(lanes))) {
      const inLane = [...jobs.values()].filter((job) => lanes[job.request.kind] === lane)
      if (inLane.some((job) => running.has(job.id))) continue
      const next = inLane.find((job) => job.state === 'waiting')
      if (next) void begin(next)
    }
  }

  const api: Jobs = {
    list: () => [...jobs.values()],
    find,
    active: () => [...jobs.values()].filter((job) => activeStates.includes(job.state)),
    async start(request, { title, project }) {
      const job: JobRecord = {
        id: randomUUID(), project, title, state: 'waiting', request, createdAt: Date.now(), startedAt: null, endedAt: null, workedMs: 0, stage: null, done: 0, total: 0, item: '',
        remainingMs: null, reason: null, error: null, warnings: [], result: null,
      }
      jobs.set(job.id, job)
      await folders.save(job)
      onJob(job)
      order()
      pump()
      return find(job.id)
    },
    pause(id) {
      if (act(find(id), 'pause')) running.get(id)?.abort.abort(new AppError('cancelled', 'Paused'))
    },
    cancel(id) {
      if (act(find(id), 'cancel')) running.get(id)?.abort.abort(new AppError('cancelled', 'Cancelled'))
    },
    resume(id, request) {
      insisted.add(id)
      goOn(id, request && { request })
    },
    async remove(id) {
      if (activeStates.includes(find(id).state)) throw new AppError('bad-request', 'a running job cannot be removed', { hint: 'Cancel it first.' })
      jobs.delete(id)
      order()
      await folders.remove(id)
    },
    shift(id, before) {
      const moved = find(id)
      if (id === before) return
      const list = [...jobs.values()].filter((job) => job !== moved)
      list.splice(before === null ? list.length : list.indexOf(find(before)), 0, moved)
      jobs.clear()
      for (const job of list) jobs.set(job.id, job)
      order()
    },
    duplicate: (id) => api.start(find(id).request, find(id)),
    events: (id) => folders.events(find(id).id),
    pump,
    async settled() {
      while (running.size > 0) await Promise.all([...running.values()].map(({ ended }) => ended))
    },
  }
  return api
}
