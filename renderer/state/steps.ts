/** @file The state of each step, derived from the project, its map, its plan and its jobs. Pure. */
import type { OpenProject } from '../../electron/contract/api.ts'
import type { JobRecord, JobState } from '../../electron/contract/job.ts'
import { measuredWith } from '../../electron/contract/measured-with.ts'
import type { Target } from '../../electron/contract/options.ts'
import type { Draft, MeasureSettings, Project, Step } from '../../electron/contract/project.ts'
import type { Recipe } from '../../electron/contract/recipe.ts'

export const stepNames: Readonly<Record<Step, string>> = {
  model: 'Model', data: 'Data', sensitivity: 'Sensitivity', budget: 'Bit budget', run: 'Run', compare: 'Compare', export: 'Export',
}
export const stepOrder: readonly Step[] = ['model', 'data', 'sensitivity', 'budget', 'run', 'compare', 'export']

export type StepState = 'done' | 'running' | 'attention' | 'outdated' | 'todo'
export const stepStateWords: Readonly<Record<StepState, string>> = {
  done: 'done', running: 'running', attention: 'needs attention', outdated: 'out of date', todo: 'not yet',
}

const busy: readonly JobState[] = ['waiting', 'running', 'pausing', 'cancelling']
const finished: readonly JobState[] = ['done', 'done-with-warnings']
export const isBusy = (job: JobRecord): boolean => busy.includes(job.state)
export const isFinished = (job: JobRecord): boolean => finished.includes(job.state)

/** Runs of this project that follow the user's own plan, newest first. */
export function runsOf(jobs: readonly JobRecord[], project: string): JobRecord[] {
  return jobs.filter((job) => job.project === project && job.request.kind === 'run' && job.request.uniform === null).sort((a, b) => b.createdAt - a.createdAt)
}
/** The newest measurement of this project with its present settings, for its present target. */
export function measurementOf(jobs: readonly JobRecord[], project: Project): JobRecord | undefined {
  const wanted = keyOfMeasurement({ ...measuredWith(project), data: project.data?.path, target: project.draft.target })
  return jobs.filter(({ project: id, request }) => id === project.id && request.kind === 'measure' && keyOfMeasurement({ ...request.input, image: request.input.graph?.image }) === wanted).sort((a, b) => b.createdAt - a.createdAt)[0]
}

type Measured = Omit<MeasureSettings, 'correction'> & { readonly correction: string; readonly data?: string | undefined; readonly target?: Target | undefined }

function keyOfMeasurement({ metric, rounder, correction, samples, length, image, data, target }: Measured): string {
  return JSON.stringify([metric, rounder, correction, samples, length, image ?? null, data ?? null, target ?? null])
}

/** True where the recipe was made from this draft. */
export function isFrom(recipe: Recipe, draft: Draft): boolean {
  const key = ({ target, budget, pins, correction }: Draft): string => JSON.stringify([target, budget.kind, budget.value, Object.entries(pins).sort(), correction])
  return key(recipe) === key(draft)
}

export function stepStates(open: OpenProject | null, jobs: readonly JobRecord[]): Record<Step, StepState> {
  const todo: Record<Step, StepState> = { model: 'todo', data: 'todo', sensitivity: 'todo', budget: 'todo', run: 'todo', compare: 'todo', export: 'todo' }
  if (!open) return todo
  const { project, sensitivity } = open
  const measuring = measurementOf(jobs, project)
  const run = runsOf(jobs, project.id)[0]
  const recipe = run?.request.kind === 'run' ? run.request.recipe : undefined
  const isCurrent = recipe !== undefined && isFrom(recipe, project.draft)

  const measured: StepState =
    measuring && isBusy(measuring) ? 'running'
      : sensitivity?.complete === true ? 'done'
        : measuring && (measuring.state === 'failed' || measuring.state === 'interrupted') ? 'attention'
          : sensitivity || (project.measured && (project.data || project.withoutData)) ? 'outdated' : 'todo'
  const ran: StepState =
    !run ? 'todo'
      : isBusy(run) ? 'running'
        : run.state === 'failed' || run.state === 'interrupted' ? 'attention'
          : !isFinished(run) ? 'todo' : isCurrent ? 'done' : 'outdated'
  const after: StepState = run && isFinished(run) ? (isCurrent ? 'done' : 'outdated') : 'todo'
  return {
    model: 'done',
    data: project.data || project.withoutData ? 'done' : 'todo',
    sensitivity: measured,
    budget: measured === 'done' && run ? 'done' : measured === 'outdated' && run ? 'outdated' : 'todo',
    run: ran,
    compare: after,
    export: after,
  }
}
