/** @file What is done about the rounding error after quantizing, with what it costs and what it is expected to bring. */
import { useEffect, useState } from 'react'
import type { Plan } from '../../../electron/contract/engine.ts'
import { go, setDraft, setMeasure } from '../../commands/actions.ts'
import { call } from '../../state/call.ts'
import { useApp } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { corrections, gainWords, unavailable } from './correction-words.ts'

/** The same draft with the other choice, so that the gain can be said: solved once the plan on the screen is. */
function useOther(plan: Plan | null, correction: 'none' | 'eora', isWanted: boolean): Plan | null {
  const draft = useApp((state) => state.open?.project.draft)
  const [other, setOther] = useState<{ readonly of: Plan; readonly plan: Plan } | null>(null)
  useEffect(() => {
    if (!draft || !plan || !isWanted) return
    const state = { isCurrent: true }
    void call('plan.solve', { ...draft, correction, pins: {} }).then((solved) => { if (state.isCurrent) setOther({ of: plan, plan: solved }) }, () => undefined) // a gain that cannot be told is not
    return () => { state.isCurrent = false }
  }, [draft, plan, correction, isWanted])
  return other && other.of === plan ? other.plan : null
}

export function Correction(): React.JSX.Element {
  const draft = useApp((state) => state.open?.project.draft)
  const plan = useApp((state) => state.plan)
  const measuredFor = useApp((state) => state.open?.sensitivity?.correction ?? null)
  const isDataFree = useApp((state) => state.open?.project.data === null)
  const chosen = draft?.correction ?? 'none'
  const hasPins = Object.keys(draft?.pins ?? {}).length > 0
  const other = useOther(plan, chosen === 'eora' ? 'none' : 'eora', measuredFor === 'eora' && !hasPins && (chosen === 'none' || chosen === 'eora'))
  const gain = plan && other ? gainWords(chosen === 'eora' ? other : plan, chosen === 'eora' ? plan : other) : null
  return (
    <Panel title={<span className="flex items-center">Correction<Term name="correction" /></span>}>
      <fieldset className="flex flex-col gap-2">
        <legend className="sr-only">Correction after quantizing</legend>
        {corrections.map(({ value, label, cost, gain: about }) => {
          const reason = unavailable(value, measuredFor, isDataFree)
          return (
            <div key={value}>
              <label className="flex gap-2">
                <input
                  type="radio" name="correction" className="mt-0.5 h-4 w-4 shrink-0" checked={chosen === value} aria-disabled={reason !== null || undefined} aria-describedby={`correction-${value}`}
                  onChange={() => { if (reason === null) setDraft({ correction: value }) }}
                />
                <span className={reason === null ? '' : 'text-ink-3'}>{label}</span>
              </label>
              <div id={`correction-${value}`} className="ml-6 text-sm text-ink-3">
                <p className="text-ink-2">{about}</p>
                <p>{cost}</p>
                {value === 'eora' && gain !== null && <p className="text-ink-2">{gain}</p>}
                {reason !== null && <p>{reason}</p>}
              </div>
              {value === 'eora' && reason !== null && !isDataFree && <div className="mt-1 ml-6"><Button size="small" onClick={() => { setMeasure({ correction: 'eora' }); go('sensitivity') }}>Measure with corrections</Button></div>}
            </div>
          )
        })}
      </fieldset>
    </Panel>
  )
}
