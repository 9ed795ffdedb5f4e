/**
 * @file A job: one long piece of work in the queue. Main owns the truth (`jobs/<id>/job.json`); the window mirrors it.
 * Pausing is stopping between two tensors and keeping what is finished, so a paused job resumes like an interrupted one.
 */
import { z } from 'zod'
import { EvaluateInput, GenerateInput, MeasureInput } from './engine.ts'
import { Stage } from './events.ts'
import { Recipe } from './recipe.ts'

export const jobStates = [
  'waiting', 'running', 'pausing', 'paused', 'cancelling', 'cancelled', 'interrupted', 'failed', 'done', 'done-with-warnings',
] as const
export const JobState = z.enum(jobStates)
export type JobState = z.infer<typeof JobState>

export const HubModel = z.object({ repo: z.string().regex(/^[\w.-]+\/[\w.-]+$/), revision: z.string().regex(/^[\w./-]+$/).default('main') })
export type HubModel = z.infer<typeof HubModel>

/** What a job does, with everything it needs. Made by main alone: it names paths. */
export const JobRequest = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('measure'), input: MeasureInput }),
  z.object({ kind: z.literal('run'), recipe: Recipe, out: z.string(), text: z.string().nullable(), uniform: z.string().nullable() }),
  z.object({ kind: z.literal('evaluate'), input: EvaluateInput, subject: z.string() }),
  z.object({ kind: z.literal('generate'), input: GenerateInput, subject: z.string() }),
  z.object({ kind: z.literal('download'), model: HubModel, out: z.string() }),
])
export type JobRequest = z.infer<typeof JobRequest>
export type JobKind = JobRequest['kind']

export const JobError = z.object({ code: z.string(), message: z.string(), hint: z.string().optional(), details: z.record(z.string(), z.unknown()).optional() })

export const JobRecord = z.object({
  id: z.string(),
  project: z.string().nullable(),
  title: z.string(),
  state: JobState,
  request: JobRequest,
  createdAt: z.number(),
  startedAt: z.number().nullable(),
  endedAt: z.number().nullable(),
  /** Time spent running, over all resumes. */
  workedMs: z.number(),
  stage: Stage.nullable(),
  done: z.number(),
  total: z.number(),
  item: z.string(),
  remainingMs: z.number().nullable(),
  /** Why it waits or stands still, in words for the user. */
  reason: z.string().nullable(),
  error: JobError.nullable(),
  warnings: z.array(z.string()),
  /** What the engine returned: a CompressReport, an Evaluation, generated text, a downloaded folder; null until done. */
  result: z.unknown(),
})
export type JobRecord = z.infer<typeof JobRecord>

/** States in which a job is the engine's. */
export const activeStates: readonly JobState[] = ['running', 'pausing', 'cancelling']
/** States from which a job can go on where it stopped. */
export const resumableStates: readonly JobState[] = ['paused', 'interrupted', 'failed', 'cancelled']
