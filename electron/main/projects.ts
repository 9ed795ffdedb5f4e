/**
 * @file Projects on disk: a folder each, found again by the model's path. Sensitivity maps are kept by what they were measured
 * with, so that going back to earlier settings finds the earlier map.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { RecentProject } from '../contract/api.ts'
import { measuredWith } from '../contract/measured-with.ts'
import { Project } from '../contract/project.ts'
import { Sensitivity } from '../contract/sensitivity.ts'
import { readJson, writeJson } from './json-file.ts'

export interface Projects {
  folderOf: (id: string) => string
  list: () => Promise<RecentProject[]>
  read: (id: string) => Promise<Project | undefined>
  /** The project of this model, as it was left, or a new one. */
  forModel: (model: string, name: string) => Promise<Project>
  save: (project: Project) => Promise<void>
  forget: (id: string) => Promise<void>
  sensitivityFile: (project: Project) => string
  sensitivity: (project: Project) => Promise<Sensitivity | null>
}

/** A name for files, from what the map is measured with, and for which target: each has formats of its own. */
export function measureKey(project: Pick<Project, 'data' | 'withoutData' | 'measure' | 'draft'>): string {
  const { metric, rounder, correction, samples, length, image } = measuredWith(project)
  const made = [project.data?.sha256 ?? null, project.draft.target, metric, rounder, samples, length, ...(correction === 'none' ? [] : [correction]), ...(image === undefined ? [] : [image])]
  return createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 12)
}

export function createProjects(root: string): Projects {
  const folderOf = (id: string): string => path.join(root, id)
  const fileOf = (id: string): string => path.join(folderOf(id), 'project.json')
  const read = (id: string): Promise<Project | undefined> => readJson(fileOf(id), Project)
  const sensitivityFile = (project: Project): string => path.join(folderOf(project.id), `sensitivity-${measureKey(project)}.json`)
  return {
    folderOf,
    read,
    sensitivityFile,
    async list() {
      const names = await readdir(root).catch(() => []) // no project yet
      const projects = (await Promise.all(names.map(read))).filter((project) => project !== undefined)
      return projects.sort((a, b) => b.openedAt - a.openedAt).map(({ id, name, model, openedAt, step }) => ({ id, name, model, openedAt, step }))
    },
    async forModel(model, name) {
      const id = `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').slice(0, 40)}-${createHash('sha256').update(model).digest('hex').slice(0, 8)}`
      return (await read(id)) ?? Project.parse({ version: 1, id, name, model, openedAt: Date.now() })
    },
    async save(project) {
      await mkdir(folderOf(project.id), { recursive: true })
      await writeJson(fileOf(project.id), project)
    },
    forget: (id) => rm(folderOf(id), { recursive: true, force: true }),
    sensitivity: async (project) => (await readJson(sensitivityFile(project), Sensitivity)) ?? null,
  }
}
