/** @file The same prompt to each model, side by side; what differs from the original is underlined, not only coloured. */
import { useState } from 'react'
import type { JobRecord } from '../../../electron/contract/job.ts'
import { generateText } from '../../commands/actions.ts'
import { runCommand } from '../../commands/table.ts'
import { digits } from '../../state/format.ts'
import { generatedOf } from '../../state/report.ts'
import { useApp } from '../../state/store.ts'
import { isBusy } from '../../state/steps.ts'
import { Button } from '../../ui/button.tsx'
import { Spinner } from '../../ui/feedback.tsx'
import { Labelled, NumberField } from '../../ui/fields.tsx'
import { Panel } from '../../ui/panel.tsx'
import { differences } from './diff.ts'
import { firstText } from './speed-text.ts'
import type { Subject } from './subjects.ts'

/** Two or three columns can be read beside each other. */
const maxColumns = 3

export function Generations({ subjects }: { readonly subjects: readonly Subject[] }): React.JSX.Element {
  const jobs = useApp((state) => state.jobs)
  const project = useApp((state) => state.open?.project.id)
  const [prompt, setPrompt] = useState(firstText.prompt)
  const [tokens, setTokens] = useState(firstText.tokens)
  const shown = [...subjects.filter((one) => one.kind === 'original'), ...subjects.filter((one) => one.kind === 'run'), ...subjects.filter((one) => one.kind === 'uniform')].slice(0, maxColumns)
  const newest = (subject: string): JobRecord | undefined => jobs.filter((job) => job.project === project && job.request.kind === 'generate' && job.request.subject === subject).at(-1)
  const found = shown.map((subject) => ({ subject, job: newest(subject.id) }))
  const [first] = found
  const reference = first?.job ? generatedOf(first.job)?.text ?? '' : ''
  const isSamePrompt = (job: JobRecord | undefined): boolean => promptOf(job) === promptOf(first?.job)
  const isWorking = found.some(({ job }) => job && isBusy(job))
  const generate = (): void => {
    for (const { id } of shown) void generateText(id, { prompt, tokens })
  }
  return (
    <Panel
      title="Same prompt, each model"
      actions={<>
        <Button size="small" look="quiet" icon="up" shortcut="Shift+F7" onClick={() => { runCommand('difference.previous') }}>Previous difference</Button>
        <Button size="small" look="quiet" icon="down" shortcut="F7" onClick={() => { runCommand('difference.next') }}>Next difference</Button>
      </>}
    >
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap items-end gap-4">
          <div className="min-w-[min(15rem,100%)] flex-1">
            <Labelled label="Prompt">{(id) => <textarea id={id} rows={2} value={prompt} onChange={(event) => { setPrompt(event.target.value) }} className="w-full rounded-md border border-line-strong/70 bg-surface-2 px-2 py-1.5" />}</Labelled>
          </div>
          <NumberField label="Tokens" value={tokens} min={1} max={512} step={8} onChange={(value) => { setTokens(Math.round(value)) }} />
          <Button icon="play" reason={prompt.trim() === '' ? 'Write a prompt first' : isWorking ? 'It is generating' : null} onClick={generate}>Generate</Button>
        </div>
        <div className="grid grid-cols-[repeat(auto-fit,minmax(min(260px,100%),1fr))] gap-3">
          {found.map(({ subject, job }) => <Text key={subject.id} subject={subject} job={job} reference={subject.id === 'original' || !isSamePrompt(job) ? null : reference} />)}
        </div>
      </div>
    </Panel>
  )
}

const promptOf = (job: JobRecord | undefined): string | null => (job?.request.kind === 'generate' ? job.request.input.prompt : null)

function Text({ subject, job, reference }: { readonly subject: Subject; readonly job: JobRecord | undefined; readonly reference: string | null }): React.JSX.Element {
  const made = job ? generatedOf(job) : null
  const pieces = made ? (reference === null || reference === '' ? [{ text: made.text, isDifferent: false }] : differences(made.text, reference)) : []
  return (
    <section aria-label={`Text of ${subject.name}`} className="flex min-w-0 flex-col gap-1.5 rounded-md border border-line p-3">
      <h3 className="flex justify-between gap-2 font-semibold"><span className="truncate">{subject.name}</span>{made && <span className="text-sm font-normal text-ink-3 tnum">{digits(made.tokensPerSecond)} tokens/s</span>}</h3>
      {job && isBusy(job) && <Spinner label="Generating" />}
      {job?.state === 'failed' && <p className="text-bad">{job.error?.message}</p>}
      {!job && <p className="text-ink-3">Nothing generated yet.</p>}
      {made && (
        <p className="leading-6 whitespace-pre-wrap wrap-anywhere">
          {pieces.map((piece, i) => (piece.isDifferent ? <mark key={i} tabIndex={-1} className="rounded-sm bg-warn-soft text-ink-1 underline decoration-warn decoration-2 underline-offset-4">{piece.text}</mark> : <span key={i}>{piece.text}</span>))}
        </p>
      )}
    </section>
  )
}
