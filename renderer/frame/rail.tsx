/** @file The seven steps with their states, and the queue. Any step can be visited; what is out of date is said, never deleted. */
import { useMemo } from 'react'
import { go } from '../commands/actions.ts'
import type { Step } from '../../electron/contract/project.ts'
import { useApp, type Route } from '../state/store.ts'
import { isBusy, stepNames, stepOrder, stepStates, stepStateWords, type StepState } from '../state/steps.ts'
import { Select } from '../ui/fields.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'

const marks: Readonly<Record<StepState, { icon: IconName; tone: string }>> = {
  done: { icon: 'check', tone: 'text-good' }, running: { icon: 'play', tone: 'text-accent' }, attention: { icon: 'warn', tone: 'text-bad' }, outdated: { icon: 'refresh', tone: 'text-warn' }, todo: { icon: 'ring', tone: 'text-ink-3' },
}

export function Rail({ route }: { readonly route: Route }): React.JSX.Element {
  const open = useApp((state) => state.open)
  const jobs = useApp((state) => state.jobs)
  const states = useMemo(() => stepStates(open, jobs), [open, jobs])
  const waiting = jobs.filter(isBusy).length
  const places: readonly { value: Route; label: string }[] = [
    ...(open ? stepOrder.map((step) => ({ value: step, label: `${stepNames[step]} (${stepStateWords[states[step]]})` })) : [{ value: 'start' as const, label: 'Start' }]),
    { value: 'queue', label: `Queue (${String(waiting)})` }, { value: 'settings', label: 'Settings' },
  ]
  return (
    <nav aria-label="Steps" data-region="rail" tabIndex={-1} className="border-line bg-surface-2 max-md:border-b md:border-r">
      <div className="p-2 md:hidden"><Select label="Go to" isLabelHidden value={route} choices={places} onChange={go} className="w-full" /></div>
      <ol className="hidden flex-col gap-0.5 p-2 md:flex">
        {stepOrder.map((step, i) => <StepLink key={step} step={step} place={i + 1} state={states[step]} isCurrent={route === step} isOff={!open} />)}
        <li className="mt-2 border-t border-line pt-2">
          <RailLink isCurrent={route === 'queue'} onClick={() => { go('queue') }}>
            <Icon name="list" className="text-ink-3" />Queue
            {waiting > 0 && <span className="ml-auto rounded-full bg-accent px-1.5 text-xs font-semibold text-on-accent tnum"><span className="sr-only">jobs: </span>{waiting}</span>}
          </RailLink>
        </li>
      </ol>
    </nav>
  )
}

function StepLink({ step, place, state, isCurrent, isOff }: { readonly step: Step; readonly place: number; readonly state: StepState; readonly isCurrent: boolean; readonly isOff: boolean }): React.JSX.Element {
  const { icon, tone } = marks[state]
  return (
    <li>
      <RailLink isCurrent={isCurrent} isOff={isOff} onClick={() => { go(step) }}>
        <Icon name={icon} className={isOff ? 'text-ink-3' : tone} />
        <span className="flex flex-1 flex-col items-start leading-4">
          <span><span className="sr-only">Step {place}: </span>{stepNames[step]}</span>
          <span className={state === 'done' || state === 'todo' ? 'sr-only' : `text-xs ${tone}`}>{stepStateWords[state]}</span>
        </span>
        <span aria-hidden="true" className="text-xs text-ink-3 tnum">{place}</span>
      </RailLink>
    </li>
  )
}

function RailLink({ isCurrent, isOff = false, onClick, children }: { readonly isCurrent: boolean; readonly isOff?: boolean; readonly onClick: () => void; readonly children: React.ReactNode }): React.JSX.Element {
  return (
    <button
      type="button" aria-current={isCurrent ? 'step' : undefined} aria-disabled={isOff || undefined} onClick={isOff ? undefined : onClick}
      className={`relative flex min-h-9 w-full items-center gap-2.5 rounded-md px-2.5 text-left ${isCurrent ? 'bg-accent-soft font-semibold text-ink-1 before:absolute before:inset-y-2 before:left-0 before:w-0.75 before:rounded-full before:bg-accent' : isOff ? 'text-ink-3' : 'text-ink-2 hover:bg-surface-3 hover:text-ink-1'}`}
    >
      {children}
    </button>
  )
}
