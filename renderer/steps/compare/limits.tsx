/** @file The limits the user sets, and the verdict on the newest run. */
import type { Limit } from '../../../electron/contract/project.ts'
import { setLimits } from '../../commands/actions.ts'
import { bytes, digits, percent } from '../../state/format.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { Banner } from '../../ui/feedback.tsx'
import { NumberField } from '../../ui/fields.tsx'
import { Panel } from '../../ui/panel.tsx'
import { verdicts, type Subject } from './subjects.ts'

interface Words { readonly label: string; readonly unit: string; readonly scale: number; readonly decimals: number; readonly step: number; readonly first: number; readonly show: (value: number) => string; readonly bound: 'at most' | 'at least' }
const words: Readonly<Record<Limit['measure'], Words>> = {
  klMean: { label: 'Mean KL', unit: '', scale: 1, decimals: 3, step: 0.005, first: 0.02, show: (value) => digits(value), bound: 'at most' },
  sameTop: { label: 'Same prediction', unit: '%', scale: 100, decimals: 1, step: 0.5, first: 0.95, show: (value) => percent(value), bound: 'at least' },
  perplexityIncrease: { label: 'Increase of perplexity', unit: '%', scale: 100, decimals: 1, step: 0.5, first: 0.01, show: (value) => percent(value), bound: 'at most' },
  sqnr: { label: 'Signal to noise, worst output', unit: 'dB', scale: 1, decimals: 1, step: 1, first: 20, show: (value) => `${digits(value)} dB`, bound: 'at least' },
  sizeBytes: { label: 'Size on disk', unit: 'MB', scale: 1e-6, decimals: 1, step: 10, first: 4e9, show: (value) => bytes(value), bound: 'at most' },
  tokensPerSecond: { label: 'Tokens per second', unit: '', scale: 1, decimals: 0, step: 1, first: 10, show: (value) => digits(value), bound: 'at least' },
}
const all = Object.keys(words) as Limit['measure'][]

/** What can be asked of this run: a graph has no perplexity, and classes only where it has some. */
function measuresOf({ klMean }: Subject, isOfGraph: boolean): readonly Limit['measure'][] {
  const none = new Set<Limit['measure']>(!isOfGraph ? ['sqnr'] : klMean === null ? ['perplexityIncrease', 'klMean', 'sameTop', 'tokensPerSecond'] : ['perplexityIncrease', 'tokensPerSecond'])
  return all.filter((measure) => !none.has(measure))
}

export function Limits({ run, original }: { readonly run: Subject; readonly original: Subject }): React.JSX.Element {
  const measures = measuresOf(run, useApp(isGraph))
  const limits = useApp((state) => state.open?.project.limits)
  const found = verdicts((limits ?? []).filter(({ measure }) => measures.includes(measure)), run, original)
  const met = found.filter((one) => one.isMet === true).length
  const missed = found.filter((one) => one.isMet === false)
  const open = found.filter((one) => one.isMet === null).length
  const say = missed.map(({ limit, found: value }) => `${words[limit.measure].label} is ${words[limit.measure].show(value ?? 0)}, ${words[limit.measure].bound} ${words[limit.measure].show(limit.value)} was asked`).join('. ')
  const set = (limit: Limit, value: number | null): void => {
    const rest = (limits ?? []).filter((one) => one.measure !== limit.measure)
    setLimits(value === null ? rest : all.flatMap((measure) => [...rest, { measure: limit.measure, value }].filter((one) => one.measure === measure)))
  }
  return (
    <>
      {found.length > 0 && (
        <Banner tone={missed.length > 0 ? 'warn' : open > 0 ? 'info' : 'good'} title={missed.length === 0 && open === 0 ? `${run.name} meets ${found.length === 1 ? 'your limit' : `all ${String(found.length)} limits`}.` : `${run.name} meets ${String(met)} of ${String(found.length)} limits.`}>
          {say !== '' && `${say}.`}{open > 0 && ` ${String(open)} not measured yet.`}
        </Banner>
      )}
      <Panel title="Your limits">
        <div className="flex flex-wrap gap-x-8 gap-y-3">
          {measures.map((measure) => {
            const { label, unit, scale, decimals, step, first, bound } = words[measure]
            const limit = limits?.find((one) => one.measure === measure)
            return (
              <div key={measure} className="flex min-w-0 items-end gap-2">
                <input type="checkbox" aria-label={`Limit: ${label}`} checked={limit !== undefined} onChange={(event) => { set({ measure, value: first }, event.target.checked ? first : null) }} className="mb-2 h-4 w-4" />
                {limit
                  ? <NumberField label={`${label}, ${bound}`} unit={unit} value={limit.value * scale} decimals={decimals} step={step} min={0} max={1e9} onChange={(value) => { set(limit, value / scale) }} />
                  : <span className="mb-1.5 text-ink-3">{label}</span>}
              </div>
            )
          })}
        </div>
      </Panel>
    </>
  )
}
