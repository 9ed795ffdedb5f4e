/** @file From the open project to the request of a job: the one place where paths are put into requests. */
import { stat, statfs } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { OpenProject, Review } from '../contract/api.ts'
import type { MeasureInput, Plan } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import { JobRequest, type JobRecord } from '../contract/job.ts'
import { measuredWith } from '../contract/measured-with.ts'
import { CompressReport } from '../contract/report.ts'

/** The finished tensors in the job's folder, and the file made from them. */
const diskFactor = 2.1

/** Where a run of this plan is written: a folder of its own, named after what is in it. */
export function outFolder(root: string, open: OpenProject, plan: Plan, uniform: string | null): string {
  const what = uniform ?? `${plan.recipe.predicted.bitsPerWeight.toFixed(2)}bpw`
  return path.join(root, `${open.project.name}-${plan.recipe.target}-${what}`)
}

/** A folder name that is not taken: `name`, `name 2`, … */
export async function freeName(folder: string): Promise<string> {
  for (let count = 1; ; count++) {
    const name = count === 1 ? folder : `${folder}-${String(count)}`
    if (!(await stat(name).catch(() => undefined))) return name
  }
}

/** The user's memory limit as the engine takes it. */
const limited = (memoryBytes: number | null): { memoryBytes?: number } => (memoryBytes === null ? {} : { memoryBytes })

/** What a measurement of the open project takes, as the engine wants it. */
export function measureInput({ project }: OpenProject): Omit<MeasureInput, 'out'> {
  const { metric, rounder, correction, samples, length, image } = measuredWith(project)
  return { model: project.model, target: project.draft.target, ...(project.data && { data: project.data.path }), metric, rounder, correction, samples, length, ...(image && { graph: { image } }) }
}

export function measureRequest(open: OpenProject, out: string, memoryBytes: number | null): JobRequest {
  const { project } = open
  if (!project.data && !project.withoutData) throw new AppError('bad-request', 'there is no calibration data yet', { hint: 'Choose data in the Data step, or go on without.' })
  return JobRequest.parse({ kind: 'measure', input: { ...measureInput(open), out, ...limited(memoryBytes) } })
}

export function runRequest(plan: Plan, { memoryBytes, ...more }: { readonly out: string; readonly uniform: string | null; readonly text: string | null; readonly memoryBytes: number | null }): JobRequest {
  return JobRequest.parse({ kind: 'run', recipe: { ...plan.recipe, ...limited(memoryBytes) }, ...more })
}

/** The file or folder a finished run wrote. */
export function outputOf(job: JobRecord): string {
  const report = CompressReport.safeParse(job.result)
  if (!report.success) throw new AppError('bad-request', `"${job.title}" has not written a model yet`, { hint: 'Wait until it is done.' })
  return report.data.output
}

export function evaluateRequest(open: OpenProject, subject: string, { model, text, memoryBytes }: { readonly model: string; readonly text: string | undefined; readonly memoryBytes: number | null }): JobRequest {
  if (text === undefined) throw new AppError('bad-request', 'there is no text to evaluate on', { hint: 'Choose data in the Data step.' })
  const { project: { model: reference, measure: { image } }, summary: { format } } = open
  return JobRequest.parse({ kind: 'evaluate', subject, input: { model, text, ...(subject !== 'original' && { reference }), ...(format === 'onnx' && image && { graph: { image } }), ...limited(memoryBytes) } })
}

export async function review(out: string, plan: Plan): Promise<Review> {
  return {
    out, exists: (await stat(out).catch(() => undefined)) !== undefined, diskNeededBytes: Math.ceil(plan.recipe.predicted.sizeBytes * diskFactor),
    diskFreeBytes: await freeBytes(out), memoryTotalBytes: os.totalmem(),
  }
}

/** Free space where `file` is or will be. */
export async function freeBytes(file: string): Promise<number> {
  let folder = file
  while (!(await stat(folder).catch(() => undefined)) && path.dirname(folder) !== folder) folder = path.dirname(folder)
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`

/** Memory that a job may take now, in bytes. macOS counts pages it would give up at once as taken: there it is not asked. */
const freeMemory = (): number => (process.platform === 'darwin' ? Infinity : process.availableMemory())

/** Why a job cannot start now, in words, or null. Memory is a prediction, and who insists may try. */
export async function obstacleOf(job: JobRecord, isInsisted: boolean): Promise<string | null> {
  if (job.request.kind !== 'run') return null
  const { out, recipe: { predicted } } = job.request
  const needed = Math.ceil(predicted.sizeBytes * diskFactor)
  const free = await freeBytes(out)
  if (free < needed) return `The disk has ${gigabytes(free)} free and this needs ${gigabytes(needed)}. It goes on by itself once there is room.`
  const memory = freeMemory()
  if (memory >= predicted.peakMemoryBytes || isInsisted) return null
  return `There is ${gigabytes(memory)} of memory free and this needs about ${gigabytes(predicted.peakMemoryBytes)}. It goes on by itself once other programs are closed; resume it to try all the same.`
}
