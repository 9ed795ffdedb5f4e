/** @file How the measurement stands: running with its progress, stopped with what is kept, or done. */
import type { JobRecord } from '../../../electron/contract/job.ts'
import { LessMemory } from '../run/less-memory.tsx'
import { onJob } from '../../commands/actions.ts'
import { duration, left, shortName } from '../../state/format.ts'
import { Button } from '../../ui/button.tsx'
import { Banner, ErrorBanner, Progress } from '../../ui/feedback.tsx'
import type { SensitivityMap } from './map.ts'

const stageWords: Partial<Record<string, string>> = { open: 'Reading the model', calibrate: 'Reading your text, block by block', measure: 'Measuring', evaluate: 'Measuring how predictions change' }
const stateWords: Partial<Record<string, string>> = { waiting: 'Waiting for the job before it', pausing: 'Pausing…', cancelling: 'Cancelling…' }

export function MeasureStatus({ job, map, isComplete }: { readonly job: JobRecord | undefined; readonly map: SensitivityMap; readonly isComplete: boolean }): React.JSX.Element | null {
  if (!job) return isComplete ? <Banner tone="good" title="This model was measured with this data before, and the map is used again." /> : null
  const kept = `${String(map.measured)} of ${String(map.total)} layers are kept.`
  const resume = (label: string): React.JSX.Element => <Button size="small" icon="play" onClick={() => { void onJob('job.resume', job.id) }}>{label}</Button>
  switch (job.state) {
    case 'waiting': case 'running': case 'pausing': case 'cancelling':
      return (
        <section aria-label="Measurement" className="flex flex-col gap-2 rounded-md border border-line bg-surface-2 px-3 py-2.5">
          <div className="flex flex-wrap justify-between gap-x-4">
            <span className="font-medium">{stateWords[job.state] ?? stageWords[job.stage ?? ''] ?? 'Starting'}{job.item !== '' && <span className="ml-2 font-mono text-sm font-normal text-ink-2">{shortName(job.item, 48)}</span>}</span>
            <span className="text-ink-2 tnum">{job.total > 0 && `${String(job.done)} of ${String(job.total)}`}{job.remainingMs !== null && ` · ${left(job.remainingMs)}`}</span>
          </div>
          <Progress label="Measurement" share={job.total > 0 ? job.done / job.total : null} />
        </section>
      )
    case 'paused': return <Banner tone="info" title={`Paused. ${kept}`} actions={resume('Continue measuring')}>{job.reason}</Banner>
    case 'cancelled': return isComplete ? null : <Banner tone="info" title={`Cancelled. ${kept}`} actions={resume('Continue measuring')} />
    case 'interrupted': return <ErrorBanner error={{ code: 'engine-stopped', ...job.error, message: job.reason ?? 'The measurement was interrupted.' }} safe={kept} actions={<><LessMemory job={job} />{resume('Continue measuring')}</>} />
    case 'failed': return job.error && <ErrorBanner error={job.error} safe={kept} actions={resume('Try again')} />
    case 'done': case 'done-with-warnings':
      return isComplete ? <Banner tone="good" title={`All ${String(map.total)} layers are measured; it took ${duration(job.workedMs)}.`}>{job.warnings.length > 0 && <ul className="list-inside list-disc">{job.warnings.slice(0, 4).map((warning) => <li key={warning}>{warning}</li>)}</ul>}</Banner> : null
    default: return job.state satisfies never
  }
}
