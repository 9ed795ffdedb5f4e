/** @file How each kind of job is done: one line a kind, the compiler names what is missing. */
import type { JobKind, JobRecord, JobRequest } from '../contract/job.ts'
import { downloadModel } from './hub-download.ts'
import type { EngineHost } from './engine-host.ts'
import type { JobTools, Runner } from './jobs.ts'

type RunnerOf<K extends JobKind> = (request: Extract<JobRequest, { kind: K }>, tools: JobTools) => Promise<unknown>

export function createRunner(engine: EngineHost, hubUrl?: string): Runner {
  const runners: { [K in JobKind]: RunnerOf<K> } = {
    measure: ({ input }, tools) => engine.call('measure', input, tools),
    // A job that was begun goes on in its folder; a new one has nothing there to go on from.
    run: ({ recipe, out, text }, tools) => engine.call('run', { recipe, folder: tools.folder, out, resume: true, ...(text !== null && { text }) }, tools),
    evaluate: ({ input }, tools) => engine.call('evaluate', input, tools),
    generate: ({ input }, tools) => engine.call('generate', input, tools),
    download: async ({ model, out }, tools) => ({ path: await downloadModel(model, out, tools, hubUrl) }),
  }
  // Each runner takes its own kind of request; the lookup by that kind is what the cast says.
  return (job: JobRecord, tools) => (runners[job.request.kind] as RunnerOf<JobKind>)(job.request, tools)
}
