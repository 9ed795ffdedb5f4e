/** @file What each command does and when it can; what it is called is in contract/commands.ts. The compiler names a missing one. */
import type { CommandId } from '../../electron/contract/commands.ts'
import { call } from '../state/call.ts'
import { useApp, type AppState } from '../state/store.ts'
import { isBusy } from '../state/steps.ts'
import { attempt, chooseModel, closeProject, go, onJob, openExample, redoPlan, showDialog, undoPlan } from './actions.ts'
import { cycleDifference, cycleRegion } from './regions.ts'

interface Command {
  /** Why it cannot be done now, or null. */
  readonly blocked: (state: AppState) => string | null
  readonly run: () => void
}

const always = (): null => null
const needsProject = ({ open }: AppState): string | null => (open ? null : 'Open a model first')
const needsTexts = ({ route }: AppState): string | null => (route === 'compare' ? null : 'Go to Compare first')
const running = ({ jobs }: AppState): string | undefined => jobs.find((job) => isBusy(job) && job.state === 'running')?.id
const needsJob = (state: AppState): string | null => (running(state) === undefined ? 'No job is running' : null)
const withJob = (act: (id: string) => void): void => {
  const id = running(useApp.getState())
  if (id !== undefined) act(id)
}
const step = (route: Parameters<typeof go>[0]): Command => ({ blocked: needsProject, run: () => { go(route) } })

export const commandTable: Readonly<Record<CommandId, Command>> = {
  'model.open': { blocked: always, run: () => { void chooseModel('model') } },
  'model.openFolder': { blocked: always, run: () => { void chooseModel('model-folder') } },
  'model.download': { blocked: always, run: () => { showDialog('hub') } },
  'model.example': { blocked: always, run: () => { void openExample() } },
  'data.stop': { blocked: ({ opening, route, dialog }) => (opening && route === 'data' && dialog === null ? null : 'No data is being read'), run: () => { void attempt(() => call('data.stop')) } },
  'project.close': { blocked: needsProject, run: () => { void closeProject() } },
  'settings.open': { blocked: always, run: () => { go('settings') } },
  'plan.undo': { blocked: ({ history }) => (history.past.length > 0 ? null : 'Nothing to undo'), run: undoPlan },
  'plan.redo': { blocked: ({ history }) => (history.future.length > 0 ? null : 'Nothing to redo'), run: redoPlan },
  'command.show': { blocked: needsProject, run: () => { showDialog('command') } },
  'palette.open': { blocked: always, run: () => { showDialog('palette') } },
  'theme.toggle': {
    blocked: always,
    run: () => {
      const isDark = window.matchMedia('(prefers-color-scheme: dark)').matches
      void attempt(() => call('settings.update', { theme: isDark ? 'light' : 'dark' }))
    },
  },
  'details.toggle': { blocked: always, run: () => { useApp.setState(({ hasDetails }) => ({ hasDetails: !hasDetails })) } },
  'go.model': step('model'),
  'go.data': step('data'),
  'go.sensitivity': step('sensitivity'),
  'go.budget': step('budget'),
  'go.run': step('run'),
  'go.compare': step('compare'),
  'go.export': step('export'),
  'go.queue': { blocked: always, run: () => { go('queue') } },
  'region.next': { blocked: always, run: cycleRegion },
  'difference.next': { blocked: needsTexts, run: () => { cycleDifference(1) } },
  'difference.previous': { blocked: needsTexts, run: () => { cycleDifference(-1) } },
  'step.primary': { blocked: always, run: () => { document.getElementById('primary-action')?.click() } },
  'job.pause': { blocked: needsJob, run: () => { withJob((id) => { void onJob('job.pause', id) }) } },
  'job.cancel': { blocked: needsJob, run: () => { withJob((id) => { void onJob('job.cancel', id) }) } },
  'help.shortcuts': { blocked: always, run: () => { showDialog('shortcuts') } },
  'help.guide': { blocked: always, run: () => { void attempt(() => call('link.open', { link: 'guide' })) } },
  'help.logs': { blocked: always, run: () => { void attempt(() => call('logs.show')) } },
}

/** Runs a command where it can be; false where it cannot. */
export function runCommand(id: CommandId): boolean {
  if (commandTable[id].blocked(useApp.getState()) !== null) return false
  commandTable[id].run()
  return true
}
