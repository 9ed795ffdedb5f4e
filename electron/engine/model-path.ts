/** @file The model that a path on the command line means: itself, what a run wrote into that folder, or the only graph in it. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { graphFileOf } from './graph-model/file.ts'
import { readJson } from './io/json.ts'

const Report = z.object({ output: z.string() })

/** The model below a folder that `compress` or `run` wrote; every other path as it is, or the graph it holds. */
export async function modelPath(source: string): Promise<string> {
  const report = Report.safeParse(await readJson(path.join(source, 'report.json')).catch(() => null))
  const written = report.success ? path.join(source, path.basename(report.data.output)) : null // the folder may have been moved since
  return written !== null && (await stat(written).catch(() => null)) !== null ? written : graphFileOf(source)
}

/** What is to be trained: the folder of a run as it is, whose job has the branches and the layers of any target; else as `modelPath`. */
export async function trainedPath(source: string): Promise<string> {
  return (await stat(path.join(source, 'job', 'recipe.json')).catch(() => null)) === null ? modelPath(source) : source
}
