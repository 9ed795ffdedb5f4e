/** @file What main does for each call of the window. The compiler names a missing channel. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { links, type FileHandle, type OpenProject, type Snapshot } from '../contract/api.ts'
import { AppError } from '../contract/errors.ts'
import { JobRequest } from '../contract/job.ts'
import { withLessMemory } from '../contract/less-memory.ts'
import { measuredWith } from '../contract/measured-with.ts'
import { Recipe } from '../contract/recipe.ts'
import type { Desk } from './desk.ts'
import type { Handlers } from './dispatch.ts'
import type { EngineHost } from './engine-host.ts'
import { isSafeLink } from './external.ts'
import type { Files } from './files.ts'
import type { Jobs } from './jobs.ts'
import type { Projects } from './projects.ts'
import { evaluateRequest, freeName, measureInput, measureRequest, outFolder, outputOf, review, runRequest } from './requests.ts'
import { createSolver } from './solver.ts'
import type { SettingsStore } from './settings-store.ts'

type ChoosePurpose = 'model' | 'model-folder' | 'weights' | 'data' | 'data-folder' | 'recipe' | 'output'

/** The desktop, as far as the window may use it; Electron's own in the app, a test's elsewhere. */
export interface Desktop {
  chooseFile: (purpose: ChoosePurpose) => Promise<string | null>
  openLink: (url: string) => Promise<void>
  showInFolder: (file: string) => void
}

export interface HandlerParts {
  readonly desk: Desk
  readonly engine: EngineHost
  readonly files: Files
  readonly jobs: Jobs
  readonly projects: Projects
  readonly settings: SettingsStore
  readonly desktop: Desktop
  readonly snapshot: () => Promise<Snapshot>
  readonly paths: { readonly sample: string; readonly logs: string; readonly models: string; readonly defaultOutput: string }
}

export function createHandlers({ desk, engine, files, jobs, projects, settings, desktop, snapshot, paths }: HandlerParts): Handlers {
  const solve = createSolver(engine)
  const nothing = (): Promise<undefined> => Promise.resolve(undefined)
  const outputRoot = (): string => settings.get().outputFolder ?? paths.defaultOutput
  const modelOf = (subject: string): string => (subject === 'original' ? desk.need().project.model : outputOf(jobs.find(subject)))
  /** What a result is judged on; a language model without data on the bundled text, as there is nothing to keep a part of. */
  const heldOutOf = ({ project, summary }: OpenProject): string | null => project.data?.heldOut?.path ?? (project.data === null && summary.format !== 'onnx' ? path.join(paths.sample, 'validation.txt') : null)
  const choose = async (purpose: ChoosePurpose): Promise<FileHandle | null> => {
    const file = await desktop.chooseFile(purpose)
    return file === null ? null : files.adopt(file)
  }

  return {
    'app.start': snapshot,
    'settings.update': (patch) => settings.update(patch),
    'settings.outputFolder': async () => {
      const folder = await desktop.chooseFile('output')
      if (folder !== null) await settings.update({ outputFolder: folder })
      return folder
    },
    'link.open': async ({ link }) => {
      if (isSafeLink(links[link])) await desktop.openLink(links[link])
      return undefined
    },
    'logs.show': () => {
      desktop.showInFolder(path.join(paths.logs, 'main.log'))
      return nothing()
    },

    'file.choose': ({ purpose }) => choose(purpose),
    'project.open': ({ file }) => desk.openModel(files.pathOf(file)),
    'project.locate': ({ file }) => desk.locate(files.pathOf(file)),
    'project.reopen': ({ id }) => desk.reopen(id),
    'project.example': async () => {
      await desk.openModel(paths.sample)
      await desk.setData(path.join(paths.sample, 'calibration.txt'))
      await desk.setHeldOut(path.join(paths.sample, 'validation.txt'))
      return desk.need()
    },
    'project.downloaded': ({ id }) => {
      const { request, state } = jobs.find(id)
      if (request.kind !== 'download' || state !== 'done') throw new AppError('bad-request', 'this is not a finished download')
      return desk.openModel(request.out)
    },
    'project.close': () => {
      desk.close()
      return nothing()
    },
    'project.forget': async ({ id }) => {
      if (desk.current()?.project.id === id) desk.close()
      await projects.forget(id)
      return undefined
    },
    'project.update': (patch) => desk.update(patch),
    'project.show': () => {
      desktop.showInFolder(path.join(projects.folderOf(desk.need().project.id), 'project.json'))
      return nothing()
    },

    'data.set': ({ file }) => desk.setData(files.pathOf(file)),
    'data.bundled': async () => {
      await desk.setHeldOut(null).catch(() => undefined) // there was no data before
      const preview = await desk.setData(path.join(paths.sample, 'calibration.txt'))
      await desk.setHeldOut(path.join(paths.sample, 'validation.txt'))
      return preview
    },
    'data.heldOut': ({ file }) => desk.setHeldOut(file === null ? null : files.pathOf(file)),
    'data.stop': () => {
      desk.stopReading()
      return nothing()
    },
    'data.without': () => desk.withoutData(),

    'map.cell': ({ layer, option }) => {
      const { project } = desk.need()
      return engine.call('cell', { model: project.model, layer, option, method: measuredWith(project).rounder === 'nearest' ? 'nearest' : 'search' })
    },

    'plan.solve': (draft) => solve(desk.need(), draft),
    'run.review': async (draft) => {
      const plan = await solve(desk.need(), draft)
      return review(outFolder(outputRoot(), desk.need(), plan, null), plan)
    },

    'measure.predict': () => engine.call('predictMeasure', measureInput(desk.need())),
    'job.measure': async () => {
      const open = desk.need()
      const request = measureRequest(open, projects.sensitivityFile(open.project), settings.get().memoryBytes)
      await desk.update({ measured: { data: open.project.data?.sha256 ?? '', settings: measuredWith(open.project) } })
      return jobs.start(request, { title: `Measure ${open.project.name}`, project: open.project.id })
    },
    'job.run': async ({ draft, uniform, replace }) => {
      const open = desk.need()
      const plan = await solve(open, draft, uniform)
      const wanted = outFolder(outputRoot(), open, plan, uniform)
      const out = replace ? wanted : await freeName(wanted)
      return jobs.start(runRequest(plan, { out, uniform, memoryBytes: settings.get().memoryBytes, text: heldOutOf(open) }), { title: path.basename(out), project: open.project.id })
    },
    'job.evaluate': ({ subject }) => {
      const open = desk.need()
      const name = subject === 'original' ? open.project.name : jobs.find(subject).title
      return jobs.start(evaluateRequest(open, subject, { model: modelOf(subject), text: heldOutOf(open) ?? open.project.data?.path, memoryBytes: settings.get().memoryBytes }), { title: `Evaluate ${name}`, project: open.project.id })
    },
    'job.generate': ({ subject, ...input }) => {
      const { project } = desk.need()
      const request = JobRequest.parse({ kind: 'generate', subject, input: { model: modelOf(subject), ...input } })
      return jobs.start(request, { title: `Text from ${subject === 'original' ? project.name : jobs.find(subject).title}`, project: project.id })
    },
    'job.download': (model) =>
      jobs.start({ kind: 'download', model, out: path.join(paths.models, model.repo.replace('/', '--')) }, { title: `Download ${model.repo}`, project: null }),
    'job.fromRecipe': async ({ file }) => {
      const source = files.pathOf(file)
      const recipe = Recipe.safeParse(JSON.parse(await readFile(source, 'utf8').catch(() => 'null')))
      if (!recipe.success) throw new AppError('bad-recipe', `${source}: not a recipe`, { hint: 'Make one in the Run step, or with "halftone plan … --out recipe.json".' })
      const name = `${path.basename(recipe.data.model.path)}-${recipe.data.target}-${recipe.data.predicted.bitsPerWeight.toFixed(2)}bpw`
      const out = await freeName(path.join(outputRoot(), name))
      return jobs.start({ kind: 'run', recipe: recipe.data, out, text: null, uniform: null }, { title: name, project: null })
    },
    'job.pause': ({ id }) => {
      jobs.pause(id)
      return nothing()
    },
    'job.resume': ({ id }) => {
      jobs.resume(id)
      return nothing()
    },
    'job.resumeWithLess': ({ id }) => {
      const request = withLessMemory(jobs.find(id).request)
      if (request === null) throw new AppError('bad-request', 'this job cannot do with less memory', { hint: 'Close other programs and resume it.' })
      jobs.resume(id, request)
      return nothing()
    },
    'job.cancel': ({ id }) => {
      jobs.cancel(id)
      return nothing()
    },
    'job.remove': async ({ id }) => {
      await jobs.remove(id)
      return undefined
    },
    'job.move': ({ id, before }) => {
      jobs.shift(id, before)
      return nothing()
    },
    'job.duplicate': ({ id }) => jobs.duplicate(id),
    'job.events': ({ id }) => jobs.events(id),
    'job.show': ({ id }) => {
      desktop.showInFolder(outputOf(jobs.find(id)))
      return nothing()
    },
    'engine.restart': () => {
      engine.restart()
      return nothing()
    },
  }
}
