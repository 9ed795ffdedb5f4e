/** @file The silhouette of every step: its question, its view, and one primary act at the bottom right that says what it does. */
import { runCommand } from '../commands/table.ts'
import { go } from '../commands/actions.ts'
import type { Step } from '../../electron/contract/project.ts'
import { useApp } from '../state/store.ts'
import { stepNames, stepOrder } from '../state/steps.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { PageTitle } from '../ui/page-title.tsx'
import type { IconName } from '../ui/icon.tsx'

export interface Primary { readonly label: string; readonly run: () => void; readonly reason?: string | null; readonly icon?: IconName }

export interface StepPageProps {
  readonly step: Step
  readonly question: string
  readonly primary: Primary
  /** Acts beside the primary one. */
  readonly secondary?: React.ReactNode
  /** What happens next, in a few words. */
  readonly next?: React.ReactNode
  readonly details?: React.ReactNode
  readonly children: React.ReactNode
}

export function StepPage({ step, question, primary, secondary, next, details, children }: StepPageProps): React.JSX.Element {
  const hasDetails = useApp((state) => state.hasDetails)
  const before = stepOrder.at(stepOrder.indexOf(step) - 1)
  const isFirst = step === stepOrder[0]
  return (
    <div className={`grid min-h-0 flex-1 grid-cols-1 ${details !== undefined && hasDetails ? 'lg:grid-cols-[minmax(0,1fr)_320px]' : ''}`}>
      <div className="flex min-h-0 min-w-0 flex-col">
        <div className="min-h-0 flex-1 scroll-pb-16 overflow-auto px-3 pt-5 pb-6 sm:px-6" tabIndex={-1}>
          <div className="@container mx-auto flex max-w-6xl flex-col gap-4">
            <header className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
              <div>
                <PageTitle>{stepNames[step]}</PageTitle>
                <p className="text-ink-2">{question}</p>
              </div>
              <div className="flex items-center gap-1">
                <Button look="quiet" icon="terminal" onClick={() => { runCommand('command.show') }}>Show as command</Button>
                {details !== undefined && <IconButton icon="panel" label="Show or hide details" isPressed={hasDetails} onClick={() => { runCommand('details.toggle') }} />}
              </div>
            </header>
            {children}
          </div>
        </div>
        <div className="flex min-h-14 flex-wrap items-center gap-3 border-t border-line bg-surface-2 px-3 py-2 sm:px-6">
          {!isFirst && before !== undefined && <Button look="quiet" icon="back" onClick={() => { go(before) }}>Back</Button>}
          <div className="min-w-0 flex-1 text-right text-ink-2 empty:max-sm:hidden max-sm:order-first max-sm:basis-full max-sm:text-left">{next}</div>
          {secondary}
          <span className="flex flex-row-reverse flex-wrap items-center justify-end gap-3">
            <Button id="primary-action" look="primary" size="normal" shortcut="Control+Enter" {...(primary.icon && { icon: primary.icon })} reason={primary.reason} showReason onClick={primary.run}>{primary.label}</Button>
          </span>
        </div>
      </div>
      {details !== undefined && hasDetails && (
        <aside aria-label="Details" data-region="details" tabIndex={-1} className="min-h-0 overflow-auto border-line bg-surface-2 p-4 max-lg:max-h-[30vh] max-lg:border-t lg:border-l">{details}</aside>
      )}
    </div>
  )
}
