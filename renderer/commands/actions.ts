/** @file What the page asks of main, one function each. Failures land in the banner of the page; nothing is swallowed. */
import type { FileHandle } from '../../electron/contract/api.ts'
import type { JobRecord } from '../../electron/contract/job.ts'
import type { Draft, MeasureSettings, Project, Step } from '../../electron/contract/project.ts'
import { adoptFile, call, fieldsOf } from '../state/call.ts'
import { record, redo, undo } from '../state/history.ts'
import { useApp, type DialogName, type Route } from '../state/store.ts'
import { stepNames } from '../state/steps.ts'

/** Runs an action; what it throws is shown. */
export async function attempt(work: () => Promise<unknown>): Promise<void> {
  useApp.setState({ failure: null })
  try {
    await work()
  } catch (cause) {
    const failure = fieldsOf(cause)
    if (failure.code !== 'cancelled') useApp.setState({ failure })
  }
}

export function announce(text: string): void {
  useApp.setState({ announcement: text })
}

// ---- where we are

/** How often somebody went somewhere. */
let moves = 0

export function go(route: Route): void {
  moves++
  const { open } = useApp.getState()
  useApp.setState({ route, failure: null })
  if (open && route in stepNames && open.project.step !== route) void attempt(() => call('project.update', { step: route as Step }))
}
export function showDialog(dialog: DialogName | null): void {
  useApp.setState({ dialog })
}

// ---- opening

async function opening(name: string, work: () => Promise<unknown>): Promise<void> {
  useApp.setState({ opening: { name } })
  await attempt(work)
  useApp.setState({ opening: null })
}
/** As `opening`, and goes to a step then, unless the user has gone on while it was opened. */
function openingFor(step: Step, name: string, work: () => Promise<unknown>): Promise<void> {
  const before = moves
  return opening(name, async () => {
    await work()
    if (moves === before) go(step)
  })
}
const openingModel = (name: string, work: () => Promise<unknown>): Promise<void> => openingFor('model', name, work)
export function openHandle(file: FileHandle): Promise<void> {
  return openingModel(file.name, () => call('project.open', { file: file.id }))
}
export async function chooseModel(purpose: 'model' | 'model-folder'): Promise<void> {
  await attempt(async () => {
    const file = await call('file.choose', { purpose })
    if (file) await openHandle(file)
  })
}
/** For a model that misses a file: the banner stays where none is chosen. */
export async function locateMissing(): Promise<void> {
  const { failure } = useApp.getState()
  await attempt(async () => {
    const file = await call('file.choose', { purpose: 'weights' })
    if (file) await openingModel(file.name, () => call('project.locate', { file: file.id }))
    else useApp.setState({ failure })
  })
}
export function reopen(id: string, name: string): Promise<void> {
  return opening(name, () => call('project.reopen', { id }))
}
export function openExample(): Promise<void> {
  return openingModel('the example', () => call('project.example'))
}
export function openDownloaded(id: string, name: string): Promise<void> {
  return openingModel(name, () => call('project.downloaded', { id }))
}
export function closeProject(): Promise<void> {
  return attempt(() => call('project.close'))
}

/** A folder is a model, unless the open model is a graph, which takes folders of pictures. */
const isData = ({ name, kind }: FileHandle, isGraph: boolean): boolean => (kind === 'folder' ? isGraph : !/\.(gguf|onnx|safetensors)$/i.test(name))

/** What a drop means depends on the step: data on the Data step, a recipe on the queue, a model anywhere else. */
export async function openDropped(file: File): Promise<void> {
  await attempt(async () => {
    const handle = await adoptFile(file)
    const { route, open } = useApp.getState()
    if (handle.name.endsWith('.json') && handle.kind === 'file' && route === 'queue') await call('job.fromRecipe', { file: handle.id })
    else if (route === 'data' && open && isData(handle, open.summary.format === 'onnx')) await setData(handle)
    else await openHandle(handle)
  })
}

// ---- data

export async function setData(file: FileHandle): Promise<void> {
  await opening(file.name, () => call('data.set', { file: file.id }))
}
export async function chooseData(purpose: 'data' | 'data-folder'): Promise<void> {
  await attempt(async () => {
    const file = await call('file.choose', { purpose })
    if (file) await setData(file)
  })
}
export function useBundledText(): Promise<void> {
  return opening('the bundled text', () => call('data.bundled'))
}
export function goOnWithBundledText(): Promise<void> {
  return openingFor('sensitivity', 'the bundled text', () => call('data.bundled'))
}
export function goWithoutData(): Promise<void> {
  return attempt(() => call('data.without'))
}
export function goOnWithoutData(): Promise<void> {
  return attempt(async () => {
    await call('data.without')
    go('sensitivity')
  })
}
export async function chooseHeldOut(): Promise<void> {
  await attempt(async () => {
    const file = await call('file.choose', { purpose: 'data' })
    if (file) await call('data.heldOut', { file: file.id })
  })
}

// ---- the project

/** Changes what the user has chosen: shown at once, so that the next change begins from it, however late main answers. */
function choose(patch: Partial<Pick<Project, 'draft' | 'measure' | 'limits'>>): void {
  useApp.setState((state) => (state.open ? { open: { ...state.open, project: { ...state.open.project, ...patch } }, unconfirmed: state.unconfirmed + 1 } : {}))
  void attempt(() => call('project.update', patch)).then(() => {
    useApp.setState((state) => ({ unconfirmed: Math.max(0, state.unconfirmed - 1) }))
  })
}
export function setMeasure(patch: Partial<MeasureSettings>): void {
  const { open } = useApp.getState()
  if (open) choose({ measure: { ...open.project.measure, ...patch } })
}
export function setLimits(limits: Project['limits']): void {
  choose({ limits })
}
/** Changes the plan's draft: shown at once, undone by undo. */
export function setDraft(patch: Partial<Draft>): void {
  const { open, history } = useApp.getState()
  if (!open) return
  useApp.setState({ history: record(history, open.project.draft) })
  choose({ draft: { ...open.project.draft, ...patch } })
}
function travel(step: typeof undo): void {
  const { open, history } = useApp.getState()
  const found = open && step(history, open.project.draft)
  if (!found) return
  useApp.setState({ history: found.history })
  choose({ draft: found.value })
}
export const undoPlan = (): void => { travel(undo) }
export const redoPlan = (): void => { travel(redo) }

// ---- jobs

export async function measure(): Promise<void> {
  await attempt(async () => { await call('job.measure') })
}
/** Starts a run and shows it; `uniform` makes the baseline of that one format instead. */
export async function startRun(options: { readonly replace: boolean; readonly uniform?: string; readonly show?: boolean }): Promise<void> {
  await attempt(async () => {
    const { open } = useApp.getState()
    if (!open) return
    const job = await call('job.run', { draft: open.project.draft, uniform: options.uniform ?? null, replace: options.replace })
    if (options.show !== false) useApp.setState({ job: job.id })
  })
}
/** Measures a model again: 'original' or the id of a run. */
export function measureQuality(subject: string): Promise<void> {
  return attempt(() => call('job.evaluate', { subject }))
}
/** Generates from a model, greedily, so that texts and speeds can be compared. */
export function generateText(subject: string, { prompt, tokens }: { readonly prompt: string; readonly tokens: number }): Promise<void> {
  return attempt(() => call('job.generate', { subject, prompt, tokens, temperature: 0, seed: 0 }))
}
/** Takes the plan of a run back into the wizard, in its own project. */
export function editRun({ project, request }: JobRecord): Promise<void> {
  return attempt(async () => {
    if (project === null || request.kind !== 'run') return
    if (useApp.getState().open?.project.id !== project) await call('project.reopen', { id: project })
    const { target, budget, pins, correction } = request.recipe
    setDraft({ target, budget, pins, correction })
    go('budget')
  })
}
type JobChannel = 'job.pause' | 'job.resume' | 'job.resumeWithLess' | 'job.cancel' | 'job.remove' | 'job.duplicate' | 'job.show'
export function onJob(channel: JobChannel, id: string): Promise<void> {
  return attempt(() => call(channel, { id }))
}
