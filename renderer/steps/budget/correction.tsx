/** @file What is done about the rounding error after quantizing, with what it costs and brings. */
import type { Draft } from '../../../electron/contract/project.ts'
import { setDraft } from '../../commands/actions.ts'
import { useApp } from '../../state/store.ts'
import { Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'

const corrections: readonly { readonly value: Draft['correction']; readonly label: string; readonly cost: string; readonly gain: string }[] = [
  { value: 'none', label: 'None', cost: 'no extra time', gain: 'The plan alone.' },
  { value: 'eora', label: 'Adapters, fitted', cost: 'a little time; adds their bytes to the budget', gain: 'Low-rank factors from the layers’ own statistics. Pays at 3 bits and below, on wide models.' },
  { value: 'scales', label: 'Scales, trained', cost: 'minutes to hours; no extra bytes', gain: 'Tunes the scales against the original’s predictions.' },
  { value: 'rilq', label: 'Adapters, trained on hidden states', cost: 'hours; adds their bytes', gain: 'For 2-bit plans of large models.' },
  { value: 'lrec', label: 'Adapters, trained on predictions', cost: 'hours; adds their bytes', gain: 'The most that can be had at 2 bits.' },
]

export function Correction(): React.JSX.Element {
  const chosen = useApp((state) => state.open?.project.draft.correction ?? 'none')
  return (
    <Panel title={<span className="flex items-center">Correction<Term name="correction" /></span>}>
      <fieldset className="flex flex-col gap-2">
        <legend className="sr-only">Correction after quantizing</legend>
        {corrections.map(({ value, label, cost, gain }) => (
          <label key={value} className="flex gap-2">
            <input type="radio" name="correction" className="mt-0.5 h-4 w-4" checked={chosen === value} onChange={() => { setDraft({ correction: value }) }} />
            <span><span className="font-medium">{label}</span><span className="block text-sm text-ink-2">{gain}</span><span className="block text-sm text-ink-3">{cost}</span></span>
          </label>
        ))}
      </fieldset>
    </Panel>
  )
}
