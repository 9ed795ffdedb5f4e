/** @file The queue: every job with its state and what can be done next. Order by buttons; one job at a time runs on the engine. */
import type { JobRecord } from '../../electron/contract/job.ts'
import { attempt, go, onJob, openDownloaded } from '../commands/actions.ts'
import { call } from '../state/call.ts'
import { ago, bytes, duration, left, percent } from '../state/format.ts'
import { reportOf } from '../state/report.ts'
import { useApp } from '../state/store.ts'
import { isBusy, isFinished } from '../state/steps.ts'
import { JobView } from '../steps/run/job-view.tsx'
import { kindWords, stateWords } from '../steps/run/job-words.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Badge, Empty, Progress } from '../ui/feedback.tsx'
import { Switch } from '../ui/fields.tsx'
import { PageTitle } from '../ui/page-title.tsx'
import { Panel } from '../ui/panel.tsx'

export function Queue(): React.JSX.Element {
  const jobs = useApp((state) => state.jobs)
  const isHeld = useApp((state) => state.app?.settings.holdQueue ?? false)
  const shown = useApp((state) => state.job)
  const job = jobs.find((one) => one.id === shown)
  const fromRecipe = (): void => {
    void attempt(async () => {
      const file = await call('file.choose', { purpose: 'recipe' })
      if (file) await call('job.fromRecipe', { file: file.id })
    })
  }
  return (
    <div className="min-h-0 flex-1 overflow-auto px-3 pt-5 pb-6 sm:px-6">
      <div className="@container mx-auto flex max-w-6xl flex-col gap-4">
        <header className="flex flex-wrap items-start justify-between gap-4">
          <div><PageTitle>Queue</PageTitle><p className="text-ink-2">What runs, what waits, what is finished.</p></div>
          <div className="flex flex-wrap items-center gap-4">
            <Switch label="Stop after the current job" isOn={isHeld} onChange={(holdQueue) => { void attempt(() => call('settings.update', { holdQueue })) }} />
            <Button icon="plus" onClick={fromRecipe}>Add a recipe…</Button>
          </div>
        </header>
        {jobs.length === 0
          ? <Panel><Empty icon="list" title="Nothing is queued">Finish the Run step, or add a recipe.json here.</Empty></Panel>
          : <Panel isFlush><ol aria-label="Jobs">{jobs.map((one, i) => <Row key={one.id} job={one} isFirst={i === 0} isLast={i === jobs.length - 1} isShown={one.id === shown} />)}</ol></Panel>}
        {job && <JobView job={job} />}
      </div>
    </div>
  )
}

function Row({ job, isFirst, isLast, isShown }: { readonly job: JobRecord; readonly isFirst: boolean; readonly isLast: boolean; readonly isShown: boolean }): React.JSX.Element {
  const [words, tone] = stateWords[job.state]
  const report = reportOf(job)
  const share = job.total > 0 ? job.done / job.total : 0
  const move = (by: 1 | -1): void => { void attempt(() => call('job.move', { id: job.id, by })) }
  return (
    <li className={`flex flex-wrap items-center gap-3 border-b border-line/60 px-3 py-2 last:border-0 ${isShown ? 'bg-accent-soft' : ''}`}>
      <span className="flex">
        <IconButton size="small" icon="up" label={`Move ${job.title} up`} reason={isFirst ? 'It is the first' : null} onClick={() => { move(-1) }} />
        <IconButton size="small" icon="down" label={`Move ${job.title} down`} reason={isLast ? 'It is the last' : null} onClick={() => { move(1) }} />
      </span>
      <button type="button" aria-pressed={isShown} onClick={() => { useApp.setState({ job: isShown ? null : job.id }) }} className="flex min-h-8 min-w-40 flex-1 flex-col items-start rounded text-left">
        <span className="max-w-full truncate font-medium">{job.title}</span>
        <span className="text-sm text-ink-3">{kindWords[job.request.kind]} · {job.endedAt === null ? `added ${ago(job.createdAt, Date.now())}` : `${ago(job.endedAt, Date.now())}, took ${duration(job.workedMs)}`}{report && ` · ${bytes(report.sizeBytes)}`}{job.reason !== null && ` · ${job.reason}`}</span>
      </button>
      <span className="flex min-w-0 flex-[0_1_14rem] items-center gap-2">
        {job.state === 'running' ? <><Progress label={job.title} share={job.total > 0 ? share : null} /><span className="w-10 text-right text-sm tnum">{percent(share, 0)}</span><span className="w-24 text-sm text-ink-2 tnum">{left(job.remainingMs)}</span></> : <Badge tone={tone}>{words}</Badge>}
      </span>
      <span className="flex flex-wrap items-center gap-1"><Actions job={job} /></span>
    </li>
  )
}

function Actions({ job }: { readonly job: JobRecord }): React.JSX.Element {
  const open = useApp((state) => state.open)
  const { id, state, title, request } = job
  const isOwn = open?.project.id === job.project
  return (
    <>
      {(state === 'interrupted' || state === 'paused') && <Button size="small" look="primary" icon="play" label={`Resume ${title}`} onClick={() => { void onJob('job.resume', id) }}>Resume</Button>}
      {(state === 'failed' || state === 'cancelled') && <Button size="small" icon="refresh" label={`Retry ${title}`} onClick={() => { void onJob('job.resume', id) }}>Retry</Button>}
      {state === 'running' && <Button size="small" icon="pause" label={`Pause ${title}`} onClick={() => { void onJob('job.pause', id) }}>Pause</Button>}
      {isBusy(job) && <Button size="small" icon="stop" label={`Cancel ${title}`} reason={state === 'cancelling' ? 'It is stopping already' : null} onClick={() => { void onJob('job.cancel', id) }}>Cancel</Button>}
      {isFinished(job) && request.kind === 'run' && <Button size="small" icon="folder" label={`Show ${title} in folder`} onClick={() => { void onJob('job.show', id) }}>Show</Button>}
      {isFinished(job) && request.kind === 'download' && <Button size="small" look="primary" icon="file" label={`Open ${title}`} onClick={() => { void openDownloaded(id, title) }}>Open</Button>}
      {request.kind === 'run' && isOwn && <Button size="small" label={`Details of ${title} in the Run step`} onClick={() => { useApp.setState({ job: id }); go('run') }}>Details</Button>}
      {!isBusy(job) && request.kind === 'run' && <IconButton size="small" icon="copy" label={`Run ${title} again`} onClick={() => { void onJob('job.duplicate', id) }} />}
      {!isBusy(job) && <IconButton size="small" icon="trash" label={`Remove ${title} from the queue`} onClick={() => { void onJob('job.remove', id) }} />}
    </>
  )
}
