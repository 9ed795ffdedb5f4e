/** @file The model that a path on the command line means: itself, what a run wrote into that folder, or the only graph in it. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { graphFileOf } from './graph-model/file.ts'
import { readJson } from './io/json.ts'

const Report = z.object({ output: z.string(), adapter: z.object({ path: z.string() }).optional() })

/** What the report in `folder` says was written, where it still is: the folder may have been moved since. */
async function written(folder: string, what: (report: z.infer<typeof Report>) => string | undefined): Promise<string | null> {
  const report = Report.safeParse(await readJson(path.join(folder, 'report.json')).catch(() => null))
  const name = report.success ? what(report.data) : undefined
  const file = name === undefined ? null : path.join(folder, path.basename(name))
  return file !== null && (await stat(file).catch(() => null)) !== null ? file : null
}

/** The model below a folder that `compress` or `run` wrote; every other path as it is, or the graph it holds. */
export async function modelPath(source: string): Promise<string> {
  return await written(source, ({ output }) => output) ?? graphFileOf(source)
}

/** The correction beside that model, to be given with it unless another is; empty where there is none. */
export async function writtenAdapter(source: string): Promise<{ adapter?: string }> {
  const adapter = await written(source, (report) => report.adapter?.path)
  return adapter === null ? {} : { adapter }
}

/** What is to be trained: the folder of a run as it is, whose job has the branches and the layers of any target; else as `modelPath`. */
export async function trainedPath(source: string): Promise<string> {
  return (await stat(path.join(source, 'job', 'recipe.json')).catch(() => null)) === null ? modelPath(source) : source
}
