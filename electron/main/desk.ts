/** @file The open project: what is known of its model and data, and every change the window may ask for. */
import path from 'node:path'
import type { OpenProject } from '../contract/api.ts'
import type { DataPreview, ModelSummary } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import { silent } from '../contract/events.ts'
import type { Project, ProjectPatch } from '../contract/project.ts'
import type { EngineHost } from './engine-host.ts'
import { refuseEqual, refuseOverlap, type Text } from './held-out.ts'
import { patched } from './patched.ts'
import { measureKey, type Projects } from './projects.ts'
import { putInPlace } from './put-in-place.ts'

export interface Desk {
  current: () => OpenProject | null
  /** The open project; throws AppError 'bad-request' where there is none. */
  need: () => OpenProject
  openModel: (model: string) => Promise<OpenProject>
  reopen: (id: string) => Promise<OpenProject>
  /** Takes a file for the one that the last model misses, and opens that. @throws AppError 'bad-request' where none does */
  locate: (file: string) => Promise<OpenProject>
  close: () => void
  update: (patch: ProjectPatch & { measured?: Project['measured'] }) => Promise<Project>
  setData: (file: string) => Promise<DataPreview>
  setHeldOut: (file: string | null) => Promise<Project>
  /** Forgets the data: the project goes on without. */
  withoutData: () => Promise<Project>
  /** Lets go of the data that is being read; what asked for it rejects with AppError 'cancelled'. */
  stopReading: () => void
  /** Reads the map again: after a measurement, or after the settings it belongs to changed. */
  readSensitivity: () => Promise<void>
}

export interface DeskOptions {
  readonly projects: Projects
  readonly engine: EngineHost
  readonly onProject: (open: OpenProject | null) => void
  readonly onSensitivity: (open: OpenProject) => void
}

/**
 * What an ONNX graph begins with. It is written as one, at first in half its bytes: what a graph can be brought to depends on its
 * layers, and is rarely a language model's. The engine says how it is measured best.
 */
function begunFor({ format, sizeBytes, graph }: ModelSummary, project: Project): Project {
  const { draft, measure } = project
  if (format !== 'onnx' || draft.target === 'onnx') return project
  return { ...project, draft: { ...draft, target: 'onnx', budget: { kind: 'bytes', value: Math.round(sizeBytes / 2) } }, measure: { ...measure, rounder: 'gptq', ...(graph && { metric: graph.metric }) } }
}

export function createDesk({ projects, engine, onProject, onSensitivity }: DeskOptions): Desk {
  let open: OpenProject | null = null
  let reading = new AbortController()
  let lacking: { readonly project: Project; readonly missing: string } | null = null

  function need(): OpenProject {
    if (!open) throw new AppError('bad-request', 'no project is open', { hint: 'Open a model first.' })
    return open
  }
  async function set(project: Project, more: Partial<OpenProject> = {}): Promise<OpenProject> {
    const next = { ...need(), ...more, project }
    open = next
    onProject(next)
    await projects.save(project)
    return next
  }
  async function preview(project: Project, file: string): Promise<DataPreview> {
    const { length, image } = project.measure
    reading = new AbortController()
    return engine.call('previewData', { model: project.model, data: file, length, ...(image && { graph: { image } }) }, { ...silent, signal: reading.signal })
  }
  /** Refuses to judge on what was calibrated with: texts by their rows, samples of a graph by their files. */
  async function refuseSame(calibration: Text, heldOut: Text): Promise<void> {
    if (need().summary.format === 'onnx') refuseEqual(calibration, heldOut)
    else await refuseOverlap(engine, calibration, heldOut)
  }
  async function openProject(project: Project): Promise<OpenProject> {
    lacking = null
    const summary = await engine.call('inspect', { model: project.model }).catch((cause: unknown) => {
      if (cause instanceof AppError && typeof cause.details?.missing === 'string') lacking = { project, missing: cause.details.missing }
      throw cause
    })
    const next = { ...begunFor(summary, project), openedAt: Date.now() }
    // Data that has gone since is no reason not to open the model.
    const seen = next.data === null ? null : await preview(next, next.data.path).catch(() => null)
    const known = seen === null ? { ...next, data: null } : next
    open = { project: known, summary, preview: seen, sensitivity: await projects.sensitivity(known) }
    onProject(open)
    await projects.save(known)
    return open
  }
  async function readSensitivity(): Promise<void> {
    const { project } = need()
    const sensitivity = await projects.sensitivity(project)
    if (open?.project.id !== project.id || measureKey(open.project) !== measureKey(project)) return
    open = { ...need(), sensitivity }
    onSensitivity(open)
  }

  return {
    current: () => open,
    need,
    readSensitivity,
    stopReading: () => { reading.abort(new AppError('cancelled', 'Cancelled')) },
    openModel: async (model) => openProject(await projects.forModel(model, path.basename(model).replace(/\.(gguf|onnx|safetensors)$/i, ''))),
    async reopen(id) {
      const project = await projects.read(id)
      if (!project) throw new AppError('file-missing', 'this project is no longer there', { hint: 'Open its model again.' })
      return openProject(project)
    },
    async locate(file) {
      if (!lacking) throw new AppError('bad-request', 'no model misses a file', { hint: 'Open the model again.' })
      const { project, missing } = lacking
      await putInPlace(file, missing, project.model)
      return openProject(project)
    },
    close() {
      open = null
      onProject(null)
    },
    async update(patch) {
      const before = need().project
      const next = patched(before, patch)
      const isSameMap = measureKey(next) === measureKey(before)
      const isSameImage = JSON.stringify(next.measure.image) === JSON.stringify(before.measure.image)
      const { project } = await set(next, isSameMap ? {} : { sensitivity: null }) // no other map's numbers are shown meanwhile
      if (!isSameImage && project.data) await set(project, { preview: await preview(project, project.data.path) })
      if (!isSameMap) await readSensitivity()
      return project
    },
    async setData(file) {
      const { project } = need()
      const seen = await preview(project, file)
      const heldOut = project.data?.heldOut ?? null
      if (heldOut) await refuseSame({ path: file, sha256: seen.sha256 }, heldOut)
      await set({ ...project, withoutData: false, data: { path: file, name: path.basename(file), sha256: seen.sha256, heldOut } }, { preview: seen })
      await readSensitivity()
      return seen
    },
    async setHeldOut(file) {
      const { project } = need()
      if (!project.data) throw new AppError('bad-request', 'there is no calibration data yet', { hint: 'Choose it first.' })
      if (file === null) return (await set({ ...project, data: { ...project.data, heldOut: null } })).project
      const { sha256 } = await preview(project, file)
      await refuseSame(project.data, { path: file, sha256 })
      return (await set({ ...project, data: { ...project.data, heldOut: { path: file, name: path.basename(file), sha256 } } })).project
    },
    async withoutData() {
      const { project } = await set({ ...need().project, data: null, withoutData: true }, { preview: null })
      await readSensitivity()
      return project
    },
  }
}
