/** @file How old the numbers of a column are, and a button that measures them again. */
import type { JobKind } from '../../../electron/contract/job.ts'
import { generateText, measureQuality } from '../../commands/actions.ts'
import { ago } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { isBusy } from '../../state/steps.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import type { Subject } from './subjects.ts'
import { speedText } from './speed-text.ts'

const kinds = {
  quality: { job: 'evaluate', at: ({ measuredAt }: Subject) => measuredAt, again: ({ id }: Subject) => measureQuality(id) },
  speed: { job: 'generate', at: ({ generatedAt }: Subject) => generatedAt, again: ({ id }: Subject) => generateText(id, speedText(useApp.getState().jobs, id)) },
} as const satisfies Record<string, { job: JobKind; at: (subject: Subject) => number | null; again: (subject: Subject) => Promise<void> }>

export function MeasuredAt({ subject, what }: { readonly subject: Subject; readonly what: keyof typeof kinds }): React.JSX.Element {
  const { job, at, again } = kinds[what]
  const isWorking = useApp((state) => state.jobs.some((one) => isBusy(one) && one.request.kind === job && 'subject' in one.request && one.request.subject === subject.id))
  const when = at(subject)
  if (isWorking) return <span className="text-ink-2">measuring…</span>
  if (when === null) return <Button size="small" icon="play" label={`Measure the ${what} of ${subject.name}`} onClick={() => { void again(subject) }}>Measure</Button>
  return (
    <span className="inline-flex items-center gap-1 text-ink-3">
      {ago(when, Date.now())}
      <IconButton size="small" icon="refresh" label={`Measure the ${what} of ${subject.name} again`} onClick={() => { void again(subject) }} />
    </span>
  )
}
