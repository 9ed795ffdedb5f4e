/** @file The window: bar above, steps at the left, the step in the middle, what is selected at the right, the state of things below. */
import { lazy, Suspense, useEffect } from 'react'
import { locateMissing } from '../commands/actions.ts'
import { CommandDialog, HubDialog, ShortcutsDialog } from '../commands/dialogs.tsx'
import { Palette } from '../commands/palette.tsx'
import { useDrop, useMain, useShortcuts } from '../commands/use-events.ts'
import { StartScreen } from '../start/start.tsx'
import { useApp, type Route } from '../state/store.ts'
import { stepNames } from '../state/steps.ts'
import { Button } from '../ui/button.tsx'
import { ErrorBanner, Spinner } from '../ui/feedback.tsx'
import { Icon } from '../ui/icon.tsx'
import { Rail } from './rail.tsx'
import { StatusBar } from './status-bar.tsx'
import { TopBar } from './top-bar.tsx'

const pages: Readonly<Record<Exclude<Route, 'start'>, React.LazyExoticComponent<() => React.JSX.Element>>> = {
  model: lazy(async () => ({ default: (await import('../steps/model/model-step.tsx')).ModelStep })),
  data: lazy(async () => ({ default: (await import('../steps/data/data-step.tsx')).DataStep })),
  sensitivity: lazy(async () => ({ default: (await import('../steps/sensitivity/sensitivity-step.tsx')).SensitivityStep })),
  budget: lazy(async () => ({ default: (await import('../steps/budget/budget-step.tsx')).BudgetStep })),
  run: lazy(async () => ({ default: (await import('../steps/run/run-step.tsx')).RunStep })),
  compare: lazy(async () => ({ default: (await import('../steps/compare/compare-step.tsx')).CompareStep })),
  export: lazy(async () => ({ default: (await import('../steps/export/export-step.tsx')).ExportStep })),
  queue: lazy(async () => ({ default: (await import('../queue/queue.tsx')).Queue })),
  settings: lazy(async () => ({ default: (await import('../settings/settings.tsx')).SettingsPage })),
}

const otherTitles = { start: 'Halftone', queue: 'Queue', settings: 'Settings' } as const

export function App(): React.JSX.Element {
  useMain()
  useShortcuts()
  const isDropping = useDrop()
  const isReady = useApp((state) => state.app !== null)
  const density = useApp((state) => state.app?.settings.density ?? 'compact')
  const project = useApp((state) => state.open?.project.name ?? null)
  const wanted = useApp((state) => state.route)
  const route: Route = project !== null || wanted === 'queue' || wanted === 'settings' ? wanted : 'start'
  const announcement = useApp((state) => state.announcement)

  useEffect(() => { document.documentElement.dataset.density = density }, [density])
  useEffect(() => {
    const page = route === 'start' || route === 'queue' || route === 'settings' ? otherTitles[route] : stepNames[route]
    document.title = project !== null && route !== 'start' ? `${page} – ${project}` : page
  }, [route, project])

  const Page = route === 'start' ? StartScreen : pages[route]
  return (
    <div data-app-state={isReady ? 'ready' : 'starting'} className="grid h-full grid-cols-1 grid-rows-[auto_1fr_auto] bg-surface-1 max-sm:h-auto max-sm:min-h-screen">
      <TopBar />
      <div className="grid min-h-0 grid-cols-1 grid-rows-[auto_1fr] md:grid-cols-[200px_minmax(0,1fr)] md:grid-rows-1">
        <Rail route={route} />
        <main data-region="main" className="flex min-h-0 min-w-0 flex-col">
          <Notices />
          {isReady && <Suspense fallback={<div className="p-6"><Spinner label="Loading" /></div>}><Page key={project} /></Suspense>}
        </main>
      </div>
      <StatusBar />
      <div role="status" aria-live="polite" className="sr-only">{announcement}</div>
      {isDropping && <DropVeil />}
      <Palette />
      <ShortcutsDialog />
      <CommandDialog />
      <HubDialog />
    </div>
  )
}

function Notices(): React.JSX.Element | null {
  const failure = useApp((state) => state.failure)
  if (!failure) return null
  const dismiss = (): void => { useApp.setState({ failure: null }) }
  return (
    <div className="px-3 pt-4 sm:px-6">
      {failure.details?.missing === undefined
        ? <ErrorBanner error={failure} onDismiss={dismiss} />
        : <ErrorBanner error={failure} safe="Or locate it, and Halftone puts it there." actions={<Button size="small" icon="folder" onClick={() => { void locateMissing() }}>Locate…</Button>} onDismiss={dismiss} />}
    </div>
  )
}

function DropVeil(): React.JSX.Element {
  return (
    <div aria-hidden="true" className="pointer-events-none fixed inset-3 z-50 flex items-center justify-center rounded-lg border-2 border-dashed border-accent bg-accent-soft/90">
      <p className="flex items-center gap-3 text-xl font-semibold text-accent-strong"><Icon name="download" size={24} />Drop it here</p>
    </div>
  )
}
