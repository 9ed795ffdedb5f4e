/** @file One job as it happens: stages, the current tensor, live curves, the log, and what can be done about it. */
import { useEffect, useMemo } from 'react'
import type { Stage } from '../../../electron/contract/events.ts'
import type { JobRecord } from '../../../electron/contract/job.ts'
import { ChartFigure } from '../../charts/chart-figure.tsx'
import { Series } from '../../charts/series.tsx'
import { announce, onJob } from '../../commands/actions.ts'
import { bytes, digits, duration, left, percent, shortName } from '../../state/format.ts'
import type { Live } from '../../state/live.ts'
import { isFinished } from '../../state/steps.ts'
import { useJobLive } from '../../state/use-job-live.ts'
import { Button } from '../../ui/button.tsx'
import { Badge, Banner, ErrorBanner, Progress } from '../../ui/feedback.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Panel } from '../../ui/panel.tsx'
import { LessMemory } from './less-memory.tsx'
import { LogDrawer } from './log-drawer.tsx'
import { runStages, stageWords, stateWords } from './job-words.ts'
import { speedNow, speedsOf } from './speed.ts'

export function JobView({ job }: { readonly job: JobRecord }): React.JSX.Element {
  const live = useJobLive(job.id)
  useProgressAnnouncements(job)
  const [words, tone] = stateWords[job.state]
  return (
    <>
      <JobMessage job={job} />
      <Panel title={<span className="flex items-center gap-2">{job.title}<Badge tone={tone}>{words}</Badge></span>} actions={<JobActions job={job} />}>
        <div className="grid grid-cols-1 gap-6 @3xl:grid-cols-[260px_minmax(0,1fr)]">
          <Stages job={job} seen={live.stages} />
          <div className="flex min-w-0 flex-col gap-2 self-center">
            <div className="flex flex-wrap justify-between gap-x-4">
              <span className="inline-block font-medium first-letter:uppercase">{job.stage && !isFinished(job) ? stageWords[job.stage] : words}</span>
              <span className="text-ink-2 tnum">{[job.total > 0 && job.state === 'running' ? percent(job.done / job.total, 0) : '', speedNow(job, live), left(job.remainingMs)].filter((part) => part !== '').join(' · ')}</span>
            </div>
            <Progress label={job.title} share={job.state === 'done' || job.state === 'done-with-warnings' ? 1 : job.total > 0 ? job.done / job.total : job.state === 'running' ? null : 0} />
            {!isFinished(job) && <p className="h-5 truncate font-mono text-sm text-ink-2">{shortName(job.item, 60)}</p>}
            {job.endedAt !== null && <p className="text-sm text-ink-2">It took {duration(job.workedMs)}.</p>}
          </div>
        </div>
      </Panel>
      <LiveCharts job={job} live={live} />
      <LogDrawer lines={live.log} />
    </>
  )
}

/** Read out at the start, at each quarter and at the end: the rarer the better. */
function useProgressAnnouncements(job: JobRecord): void {
  const quarter = job.total > 0 ? Math.floor((job.done / job.total) * 4) * 25 : 0
  useEffect(() => {
    const [words] = stateWords[job.state]
    announce(job.state === 'running' && job.stage ? `${stageWords[job.stage]}: ${String(quarter)} %` : `${job.title}: ${words}`)
  }, [job.state, job.stage, job.title, quarter])
}

function JobMessage({ job }: { readonly job: JobRecord }): React.JSX.Element | null {
  const isOutOfMemory = job.error?.code === 'out-of-memory'
  const resume = <Button size="small" look={isOutOfMemory ? 'secondary' : 'primary'} icon="play" onClick={() => { void onJob('job.resume', job.id) }}>Resume</Button>
  const safe = 'What is finished is kept.'
  switch (job.state) {
    case 'failed': return job.error && <ErrorBanner error={job.error} safe={safe} actions={<Button size="small" icon="refresh" onClick={() => { void onJob('job.resume', job.id) }}>Try again</Button>} />
    case 'interrupted': return <ErrorBanner error={{ code: 'engine-stopped', ...job.error, message: job.reason ?? 'It was interrupted.' }} safe={safe} actions={<><LessMemory job={job} />{resume}</>} />
    case 'paused': return <Banner tone="info" title={job.reason ?? 'Paused.'} actions={resume}>{safe}</Banner>
    case 'cancelled': return <Banner tone="info" title="Cancelled." actions={<Button size="small" icon="play" onClick={() => { void onJob('job.resume', job.id) }}>Go on after all</Button>}>{safe}</Banner>
    case 'done-with-warnings': return <Banner tone="warn" title="Done, with warnings"><ul className="list-inside list-disc">{job.warnings.slice(0, 6).map((warning) => <li key={warning}>{warning}</li>)}</ul></Banner>
    case 'waiting': case 'running': case 'pausing': case 'cancelling': case 'done': return null
    default: return job.state satisfies never
  }
}

export function JobActions({ job }: { readonly job: JobRecord }): React.JSX.Element | null {
  if (job.state !== 'running' && job.state !== 'pausing' && job.state !== 'waiting') return null
  return (
    <>
      <Button size="small" icon="pause" reason={job.state === 'pausing' ? 'It is pausing already' : null} onClick={() => { void onJob('job.pause', job.id) }}>Pause</Button>
      <Button size="small" icon="stop" onClick={() => { void onJob('job.cancel', job.id) }}>Cancel</Button>
    </>
  )
}

function Stages({ job, seen }: { readonly job: JobRecord; readonly seen: readonly Stage[] }): React.JSX.Element {
  const isDone = job.state === 'done' || job.state === 'done-with-warnings'
  const expected = job.request.kind === 'run' ? runStages.filter((stage) => seen.includes(stage) || (stage !== 'correct' && stage !== 'train') || (job.request.kind === 'run' && job.request.recipe.correction !== 'none')) : [...new Set(seen)]
  const at = job.stage ? expected.indexOf(job.stage) : -1
  return (
    <ol className="flex flex-col gap-1">
      {expected.map((stage, i) => {
        const state = isDone || i < at ? 'done' : i === at ? 'now' : 'todo'
        return (
          <li key={stage} aria-current={state === 'now' ? 'step' : undefined} className={`flex items-center gap-2 ${state === 'now' ? 'font-semibold' : state === 'todo' ? 'text-ink-3' : 'text-ink-2'}`}>
            <Icon name={state === 'done' ? 'check' : state === 'now' ? 'play' : 'ring'} className={state === 'done' ? 'text-good' : state === 'now' ? 'text-accent' : ''} />
            {stageWords[stage]}<span className="sr-only">{state === 'done' ? ', done' : state === 'now' ? ', running' : ', not yet'}</span>
          </li>
        )
      })}
    </ol>
  )
}

function LiveCharts({ job, live }: { readonly job: JobRecord; readonly live: Live }): React.JSX.Element | null {
  const errors = useMemo(() => ({ x: live.tensors.map((_, i) => i + 1), y: live.tensors.map((tensor) => (tensor.error > 0 ? tensor.error : null)) }), [live.tensors])
  const written = live.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0)
  const curves = Object.entries(live.series)
  const speeds = speedsOf(job, live)
  const hasErrors = live.tensors.some(({ error }) => error > 0)
  if (!hasErrors && curves.length === 0 && speeds.length === 0) return null
  return (
    <div className={`grid grid-cols-1 gap-4 ${curves.length + speeds.length > 0 ? '@4xl:grid-cols-2' : ''}`}>
      {hasErrors && (
        <ChartFigure
          title="Output error of each finished layer" caption={`${String(live.tensors.length)} layers are on disk, ${bytes(written)}. Log scale.`}
          table={{ columns: ['Layer', 'Format', 'Bytes', 'Error'], rows: () => live.tensors.map((tensor) => [tensor.name, tensor.option, bytes(tensor.bytes), digits(tensor.error)]) }}
        >
          <div className="p-2"><Series label="Output error" x={errors.x} y={errors.y} xLabel="layers" isLog /></div>
        </ChartFigure>
      )}
      {speeds.map((speed) => (
        <ChartFigure
          key={speed.stage} title={`${speed.title}, ${speed.unit}`} caption={`${speed.say(speed.mean)} on average, ${speed.of}.`}
          table={{ columns: [speed.piece, speed.unit], rows: () => speed.names.map((name, i) => [name, digits(speed.values[i] ?? NaN)]) }}
        >
          <div className="p-2"><Series label={`${speed.title}, ${speed.unit}`} x={speed.values.map((_, i) => i + 1)} y={speed.values} xLabel={`${speed.piece.toLowerCase()}s`} /></div>
        </ChartFigure>
      ))}
      {curves.map(([name, { step, value }]) => (
        <ChartFigure key={name} title={name} caption={`${name} at step ${String(step.at(-1) ?? 0)}: ${digits(value.at(-1) ?? 0)}.`} table={{ columns: ['Step', name], rows: () => step.map((one, i) => [one, digits(value[i] ?? NaN)]) }}>
          <div className="p-2"><Series label={name} x={step} y={value} xLabel="steps" /></div>
        </ChartFigure>
      ))}
    </div>
  )
}
