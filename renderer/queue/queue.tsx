/** @file The queue: every job with its state and what can be done next. Order by buttons or by dragging; one job at a time runs on the engine. */
import { useState } from 'react'
import type { JobKind, JobRecord } from '../../electron/contract/job.ts'
import { attempt, editRun, go, onJob, openDownloaded } from '../commands/actions.ts'
import { call } from '../state/call.ts'
import { ago, bytes, duration, left, percent } from '../state/format.ts'
import { reportOf } from '../state/report.ts'
import { useApp } from '../state/store.ts'
import { isBusy, isFinished } from '../state/steps.ts'
import { JobView } from '../steps/run/job-view.tsx'
import { kindWords, stateWords } from '../steps/run/job-words.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Confirm, type Asked } from '../ui/confirm.tsx'
import { Badge, Empty, Progress } from '../ui/feedback.tsx'
import { Switch } from '../ui/fields.tsx'
import { PageTitle } from '../ui/page-title.tsx'
import { Panel } from '../ui/panel.tsx'

/** Job, state, size, what can be done. */
const columns = '@3xl:grid-cols-[minmax(0,1fr)_15rem_5rem_17.5rem]'

/** What is not deleted with a job. */
const stays: Partial<Record<JobKind, string>> = { run: ' Files it has written stay where they are.', measure: ' The map stays with the project.', download: ' Files that have come stay where they are.' }

/** Texts that were generated are read in the Compare step; here they would bury the rest. */
const isListed = (job: JobRecord): boolean => job.request.kind !== 'generate' || !isFinished(job)

export function Queue(): React.JSX.Element {
  const all = useApp((state) => state.jobs)
  const settings = useApp((state) => state.app?.settings)
  const shown = useApp((state) => state.job)
  const [asked, setAsked] = useState<Asked | null>(null)
  const [dragged, setDragged] = useState<string | null>(null)
  const jobs = all.filter(isListed)
  const job = jobs.find((one) => one.id === shown)
  const fromRecipe = (): void => {
    void attempt(async () => {
      const file = await call('file.choose', { purpose: 'recipe' })
      if (file) await call('job.fromRecipe', { file: file.id })
    })
  }
  const move = (id: string, before: string | null): void => { void attempt(() => call('job.move', { id, before })) }
  return (
    <div className="min-h-0 flex-1 overflow-auto px-3 pt-5 pb-6 sm:px-6">
      <div className="@container mx-auto flex max-w-6xl flex-col gap-4">
        <header className="flex flex-wrap items-start justify-between gap-4">
          <div><PageTitle>Queue</PageTitle><p className="text-ink-2">What runs, what waits, what is finished.</p></div>
          <div className="flex flex-wrap items-center gap-x-6 gap-y-3">
            <Switch label="Stop after the current job" isOn={settings?.holdQueue === true} onChange={(holdQueue) => { void attempt(() => call('settings.update', { holdQueue })) }} />
            <Switch label="Tell me when a job is done" isOn={settings?.whenDone === 'notify'} onChange={(isOn) => { void attempt(() => call('settings.update', { whenDone: isOn ? 'notify' : 'nothing' })) }} />
            <Button icon="plus" onClick={fromRecipe}>Add a recipe…</Button>
          </div>
        </header>
        {jobs.length === 0
          ? <Panel><Empty icon="list" title="Nothing is queued">Finish the Run step, or drop a recipe.json here.</Empty></Panel>
          : (
              <Panel isFlush>
                <div aria-hidden="true" className={`hidden gap-3 border-b border-line py-2 pr-3 pl-18 text-sm font-medium text-ink-2 @3xl:grid ${columns}`}><span>Job</span><span>State</span><span className="text-right">Size</span><span /></div>
                <ol aria-label="Jobs">
                  {jobs.map((one, i) => (
                    <Row
                      key={one.id} job={one} isShown={one.id === shown} onAsk={setAsked}
                      up={i === 0 ? null : () => { move(one.id, jobs[i - 1]?.id ?? null) }} down={i === jobs.length - 1 ? null : () => { move(one.id, jobs[i + 2]?.id ?? null) }}
                      onDrag={() => { setDragged(one.id) }} onDrop={() => { if (dragged !== null) move(dragged, one.id); setDragged(null) }}
                    />
                  ))}
                </ol>
              </Panel>
            )}
        {job && <JobView job={job} />}
      </div>
      <Confirm asked={asked} onClose={() => { setAsked(null) }} />
    </div>
  )
}

interface RowProps {
  readonly job: JobRecord; readonly isShown: boolean; readonly onAsk: (asked: Asked) => void
  /** Null at the ends. */
  readonly up: (() => void) | null; readonly down: (() => void) | null
  readonly onDrag: () => void; readonly onDrop: () => void
}

function Row({ job, isShown, onAsk, up, down, onDrag, onDrop }: RowProps): React.JSX.Element {
  const [words, tone] = stateWords[job.state]
  const report = reportOf(job)
  const share = job.total > 0 ? job.done / job.total : 0
  return (
    <li
      draggable onDragStart={onDrag} onDragOver={(event) => { event.preventDefault() }} onDrop={onDrop}
      className={`flex items-center gap-3 border-b border-line/60 px-3 py-2 last:border-0 ${isShown ? 'bg-accent-soft' : ''}`}
    >
      <span className="flex shrink-0">
        <IconButton size="small" icon="up" label={`Move ${job.title} up`} reason={up ? null : 'It is the first'} onClick={() => { up?.() }} />
        <IconButton size="small" icon="down" label={`Move ${job.title} down`} reason={down ? null : 'It is the last'} onClick={() => { down?.() }} />
      </span>
      <div className={`grid min-w-0 flex-1 grid-cols-1 items-center gap-x-3 gap-y-1 ${columns}`}>
        <button type="button" aria-pressed={isShown} onClick={() => { useApp.setState({ job: isShown ? null : job.id }) }} className="flex min-h-8 min-w-0 flex-col items-start rounded text-left">
          <span className="max-w-full truncate font-medium">{job.title}</span>
          <span className="text-sm text-ink-3">{kindWords[job.request.kind]} · {job.endedAt === null ? `added ${ago(job.createdAt, Date.now())}` : `${ago(job.endedAt, Date.now())}, took ${duration(job.workedMs)}`}{job.reason !== null && ` · ${job.reason}`}</span>
        </button>
        <span className="flex min-w-0 items-center gap-2">
          {job.state === 'running' ? <><Progress label={job.title} share={job.total > 0 ? share : null} /><span className="w-10 shrink-0 text-right text-sm tnum">{percent(share, 0)}</span><span className="w-24 shrink-0 text-sm text-ink-2 tnum">{left(job.remainingMs)}</span></> : <Badge tone={tone}>{words}</Badge>}
        </span>
        <span className="text-sm tnum @3xl:text-right">{report && bytes(report.sizeBytes)}</span>
        <span className="flex flex-wrap items-center gap-1 @3xl:justify-end"><Actions job={job} onAsk={onAsk} /></span>
      </div>
    </li>
  )
}

function Actions({ job, onAsk }: Pick<RowProps, 'job' | 'onAsk'>): React.JSX.Element {
  const open = useApp((state) => state.open)
  const { id, state, title, request, project } = job
  const isOwn = open?.project.id === project
  const askToRemove = (): void => {
    onAsk({ title: `Remove ${title}?`, text: `Its log and its numbers are deleted${isFinished(job) ? '' : ', with what it had finished'}.${stays[request.kind] ?? ''}`, act: 'Remove', run: () => { void onJob('job.remove', id) } })
  }
  return (
    <>
      {(state === 'interrupted' || state === 'paused') && <Button size="small" look="primary" icon="play" label={`Resume ${title}`} onClick={() => { void onJob('job.resume', id) }}>Resume</Button>}
      {(state === 'failed' || state === 'cancelled') && <Button size="small" icon="refresh" label={`Retry ${title}`} onClick={() => { void onJob('job.resume', id) }}>Retry</Button>}
      {state === 'running' && <Button size="small" icon="pause" label={`Pause ${title}`} onClick={() => { void onJob('job.pause', id) }}>Pause</Button>}
      {isBusy(job) && <Button size="small" icon="stop" label={`Cancel ${title}`} reason={state === 'cancelling' ? 'It is stopping already' : null} onClick={() => { void onJob('job.cancel', id) }}>Cancel</Button>}
      {isFinished(job) && request.kind === 'run' && <Button size="small" icon="folder" label={`Show ${title} in folder`} onClick={() => { void onJob('job.show', id) }}>Show</Button>}
      {isFinished(job) && request.kind === 'download' && <Button size="small" look="primary" icon="file" label={`Open ${title}`} onClick={() => { void openDownloaded(id, title) }}>Open</Button>}
      {request.kind === 'run' && isOwn && <Button size="small" label={`Details of ${title} in the Run step`} onClick={() => { useApp.setState({ job: id }); go('run') }}>Details</Button>}
      {request.kind === 'run' && request.uniform === null && project !== null && <Button size="small" label={`Edit the plan of ${title}`} onClick={() => { void editRun(job) }}>Edit</Button>}
      {!isBusy(job) && request.kind === 'run' && <IconButton size="small" icon="copy" label={`Run ${title} again`} onClick={() => { void onJob('job.duplicate', id) }} />}
      {!isBusy(job) && <IconButton size="small" icon="trash" label={`Remove ${title} from the queue`} onClick={askToRemove} />}
    </>
  )
}
