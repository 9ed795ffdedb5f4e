/** @file Models as columns, measures as rows; what lies within the noise says so. Conditions stand with the numbers. */
import { bytes, digits, duration, percent, withError } from '../../state/format.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { Term, type TermName } from '../../ui/terms.tsx'
import { MeasuredAt } from './measured-at.tsx'
import { isClear, type Subject } from './subjects.ts'

/** `of`: language models or ONNX graphs alone; both where it is missing. */
interface Row { readonly of?: 'text' | 'graph'; readonly label: string; readonly term?: TermName; readonly cell: (subject: Subject, original: Subject) => React.ReactNode }

const none = <span className="text-ink-3">not measured</span>
const dash = <span className="text-ink-3">–</span>
const milliseconds = (ms: number): string => (ms < 1000 ? `${digits(ms, 2)} ms` : duration(ms))
const rows: readonly Row[] = [
  { label: 'Size on disk', term: 'size', cell: ({ sizeBytes }, original) => <>{bytes(sizeBytes)} <span className="text-ink-3">{percent(sizeBytes / original.sizeBytes, 0)}</span></> },
  { label: 'Bits per weight', term: 'bpw', cell: ({ bitsPerWeight }) => bitsPerWeight.toFixed(2) },
  {
    of: 'text', label: 'Perplexity', term: 'perplexity',
    cell: ({ id, perplexity, perplexityStderr }, original) => {
      if (perplexity === null) return none
      const isSame = id !== 'original' && original.perplexity !== null && perplexityStderr !== null && !isClear(perplexity, perplexityStderr, original.perplexity, original.perplexityStderr ?? perplexityStderr)
      return <>{withError(perplexity, perplexityStderr ?? undefined, 4)}{isSame && <span className="block text-sm text-ink-3">no clear difference</span>}</>
    },
  },
  { label: 'Mean KL to the original', term: 'kl', cell: ({ id, klMean, klStderr }) => (id === 'original' ? '0' : klMean === null ? none : withError(klMean, klStderr ?? undefined)) },
  { of: 'text', label: '99 % of tokens below, KL', cell: ({ id, kl99 }) => (id === 'original' ? '0' : kl99 === null ? none : digits(kl99)) },
  { of: 'text', label: 'Same most likely token', term: 'sameTop', cell: ({ sameTop }) => (sameTop === null ? none : percent(sameTop)) },
  { of: 'graph', label: 'Same most likely class', cell: ({ sameTop }) => (sameTop === null ? dash : percent(sameTop)) },
  { of: 'graph', label: 'Signal to noise, worst output', term: 'sqnr', cell: ({ id, sqnr }) => (id === 'original' ? '∞' : sqnr === null ? none : `${digits(sqnr)} dB`) },
  { of: 'graph', label: 'Cosine, worst output', cell: ({ id, cosine }) => (id === 'original' ? '1' : cosine === null ? none : cosine.toFixed(4)) },
  { of: 'text', label: 'Quality measured', cell: (subject) => <MeasuredAt subject={subject} what="quality" /> },
  { of: 'graph', label: 'Quality measured', cell: (subject) => (subject.id === 'original' ? dash : <MeasuredAt subject={subject} what="quality" />) },
  { label: 'Memory for its weights', cell: ({ sizeBytes }) => bytes(sizeBytes) },
  { label: 'Peak memory while it was made', cell: ({ peakMemoryBytes }) => (peakMemoryBytes === null ? dash : bytes(peakMemoryBytes)) },
  { of: 'text', label: 'Loading and first token', cell: ({ firstTokenMs }) => (firstTokenMs === null ? none : milliseconds(firstTokenMs)) },
  { of: 'text', label: 'Each token then, middle · slowest 5 %', cell: ({ tokenMs }) => (tokenMs === null ? none : `${milliseconds(tokenMs.median)} · ${milliseconds(tokenMs.p95)}`) },
  { of: 'text', label: 'Tokens per second', cell: ({ tokensPerSecond }) => (tokensPerSecond === null ? none : digits(tokensPerSecond)) },
  { of: 'text', label: 'Speed measured', cell: (subject) => <MeasuredAt subject={subject} what="speed" /> },
]

export function CompareTable({ subjects, original }: { readonly subjects: readonly Subject[]; readonly original: Subject }): React.JSX.Element {
  const text = useApp((state) => state.open?.project.data?.heldOut?.name ?? state.open?.project.data?.name)
  const cores = useApp((state) => state.app?.machine.cores)
  const kind = useApp(isGraph) ? 'graph' : 'text'
  const tokens = subjects.find((one) => one.kind === 'run')?.tokens
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Side by side">
      <table className="w-full border-collapse">
        <thead>
          <tr className="border-b border-line">
            <th scope="col" className="h-10 px-3 text-left text-sm font-medium text-ink-2">Measure</th>
            {subjects.map(({ id, name, kind }) => <th key={id} scope="col" className={`px-3 text-right font-semibold ${kind === 'run' ? 'text-accent-strong' : ''}`}>{name}</th>)}
          </tr>
        </thead>
        <tbody>
          {rows.filter(({ of = kind }) => of === kind).map(({ label, term, cell }) => (
            <tr key={label} className="border-b border-line/60">
              <th scope="row" className="h-9 px-3 text-left font-normal text-ink-2 sm:whitespace-nowrap"><span className="flex items-center">{label}{term && <Term name={term} />}</span></th>
              {subjects.map((subject) => <td key={subject.id} className="px-3 py-1 text-right whitespace-nowrap">{cell(subject, original)}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
      <p className="px-3 py-2 text-sm text-ink-3">
        Measured on {text ?? 'held-out data'}{tokens !== null && tokens !== undefined && tokens > 0 && `, ${tokens.toLocaleString('en-US')} tokens scored`}, with {cores} processor cores. ± is one standard error.{kind === 'text' && ' Speed is that of text generated here by Halftone itself; other programs have their own.'}
      </p>
    </div>
  )
}
