/**
 * @file The page's state: a mirror of main (never derived values), what jobs say live, the plan in work, and what is shown.
 */
import { create } from 'zustand'
import type { EngineState, OpenProject, RecentProject, Sequenced, Snapshot } from '../../electron/contract/api.ts'
import type { Plan } from '../../electron/contract/engine.ts'
import type { AppErrorFields } from '../../electron/contract/errors.ts'
import type { JobRecord } from '../../electron/contract/job.ts'
import type { Draft, Step } from '../../electron/contract/project.ts'
import type { History } from './history.ts'
import { emptyLive, foldEvents, type Live } from './live.ts'

export type Route = Step | 'start' | 'queue' | 'settings'
export type DialogName = 'palette' | 'shortcuts' | 'command' | 'hub'

export interface Mirror {
  readonly seq: number
  readonly app: Pick<Snapshot, 'version' | 'platform' | 'machine' | 'settings' | 'outputFolder'> | null
  readonly open: OpenProject | null
  readonly recent: readonly RecentProject[]
  readonly jobs: readonly JobRecord[]
  readonly engine: EngineState
  readonly engineMemoryBytes: number | null
}

export interface Shown {
  readonly route: Route
  readonly dialog: DialogName | null
  readonly hasDetails: boolean
  /** The tensor or layer that is selected, by name: chart, table and details share it. */
  readonly selected: string | null
  readonly cell: { readonly layer: string; readonly option: string } | null
  readonly opening: { readonly name: string } | null
  readonly failure: AppErrorFields | null
  /** Read out politely by screen readers. */
  readonly announcement: string
  /** The job shown in the Run step or opened from the queue. */
  readonly job: string | null
}

export interface Planning {
  readonly plan: Plan | null
  readonly planError: AppErrorFields | null
  readonly isSolving: boolean
  readonly history: History<Draft>
  /** Choices of the user that main has not confirmed yet: until then its older ones do not count. */
  readonly unconfirmed: number
  /** Layers whose option the last solve changed. */
  readonly changed: readonly string[]
}

export interface AppState extends Mirror, Shown, Planning {
  readonly live: Readonly<Record<string, Live>>
}

export const noHistory: History<Draft> = { past: [], future: [] }
const noPlan: Planning = { plan: null, planError: null, isSolving: false, history: noHistory, unconfirmed: 0, changed: [] }

export const useApp = create<AppState>(() => ({
  seq: 0, app: null, open: null, recent: [], jobs: [], engine: 'stopped', engineMemoryBytes: null, live: {}, ...noPlan,
  route: 'start', dialog: null, hasDetails: true, selected: null, cell: null, opening: null, failure: null, announcement: '', job: null,
}))

/** Whether the open model is an ONNX graph: its data are samples, not text. For `useApp`. */
export const isGraph = ({ open }: Pick<AppState, 'open'>): boolean => open?.summary.format === 'onnx'

/** Where a project is gone on with. */
const routeOf = (open: OpenProject | null): Route => open?.project.step ?? 'start'

export function mirrorSnapshot({ seq, version, platform, machine, settings, outputFolder, open, recent, jobs, engine }: Snapshot): void {
  useApp.setState((state) => ({
    seq, open, recent, jobs, engine, app: { version, platform, machine, settings, outputFolder },
    ...(state.app === null && { route: routeOf(open) }),
  }))
}

/** Applies one event of main; returns false where one was missed and a new snapshot is needed. */
export function mirrorEvent(event: Sequenced): boolean {
  const { seq } = useApp.getState()
  if (event.seq <= seq) return true // the snapshot was newer
  if (event.seq > seq + 1) return false
  useApp.setState((state) => ({ seq: event.seq, ...change(state, event) }))
  return true
}

function change(state: AppState, event: Sequenced): Partial<AppState> {
  switch (event.type) {
    case 'settings': return state.app ? { app: { ...state.app, settings: event.settings, outputFolder: event.outputFolder } } : {}
    case 'project': {
      const isSame = event.open?.project.id === state.open?.project.id
      const chosen = isSame && state.unconfirmed > 0 ? state.open?.project : undefined
      const open = event.open && chosen ? { ...event.open, project: { ...event.open.project, draft: chosen.draft, measure: chosen.measure, limits: chosen.limits } } : event.open
      return { open, ...(!isSame && { ...noPlan, selected: null, cell: null, job: null, route: routeOf(event.open) }) }
    }
    case 'sensitivity': return state.open ? { open: { ...state.open, sensitivity: event.sensitivity } } : {}
    case 'recent': return { recent: event.recent }
    case 'order': return { jobs: event.ids.flatMap((id) => state.jobs.find((job) => job.id === id) ?? []) }
    case 'job': {
      const isKnown = state.jobs.some((job) => job.id === event.job.id)
      return { jobs: isKnown ? state.jobs.map((job) => (job.id === event.job.id ? event.job : job)) : [...state.jobs, event.job] }
    }
    case 'job-events': {
      const live = { ...state.live, [event.id]: foldEvents(state.live[event.id] ?? emptyLive, event.events) }
      const progress = event.events.findLast((one) => one.type === 'progress' || one.type === 'stage')
      if (!progress) return { live }
      const patch: Partial<JobRecord> = progress.type === 'stage'
        ? { stage: progress.stage, done: 0, total: progress.total ?? 0, item: '', remainingMs: null }
        : { stage: progress.stage, done: progress.done, total: progress.total, item: progress.item, remainingMs: progress.remainingMs }
      return { live, jobs: state.jobs.map((job) => (job.id === event.id ? { ...job, ...patch } : job)) }
    }
    case 'engine': return { engine: event.state, engineMemoryBytes: event.memoryBytes ?? state.engineMemoryBytes }
    case 'command': case 'opened': return {} // handled where commands are run
    default: event satisfies never; return {}
  }
}
