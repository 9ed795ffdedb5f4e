/** @file What a long piece of work says while it runs. The same events go to stderr, events.jsonl and the window. */
import { z } from 'zod'

export const stages = ['open', 'calibrate', 'measure', 'plan', 'quantize', 'correct', 'train', 'export', 'evaluate', 'verify'] as const
export const Stage = z.enum(stages)
export type Stage = z.infer<typeof Stage>

const AppErrorFields = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
})

export const JobEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('stage'), stage: Stage, total: z.number().nullable() }),
  /** `done` of `total` units of the stage; `item` names the current one. */
  z.object({ type: z.literal('progress'), stage: Stage, done: z.number(), total: z.number(), item: z.string(), remainingMs: z.number().nullable() }),
  /** One cell of the sensitivity map. */
  z.object({ type: z.literal('cell'), layer: z.string(), option: z.string(), value: z.number(), stderr: z.number(), bytes: z.number() }),
  /** A tensor was quantized and its file is on disk. */
  z.object({ type: z.literal('tensor'), name: z.string(), option: z.string(), bytes: z.number(), error: z.number() }),
  /** One point of a live curve (training loss, gradient norm, …). */
  z.object({ type: z.literal('point'), series: z.string(), step: z.number(), value: z.number() }),
  z.object({ type: z.literal('log'), level: z.enum(['info', 'warning']), text: z.string() }),
  z.object({ type: z.literal('done'), report: z.unknown() }),
  z.object({ type: z.literal('failed'), error: AppErrorFields }),
])
export type JobEvent = z.infer<typeof JobEvent>

/** An event with the time it was said at, in milliseconds since 1970: as logs keep it and the window gets it. */
export const TimedEvent = z.intersection(JobEvent, z.object({ at: z.number() }))
export type TimedEvent = z.infer<typeof TimedEvent>

/** What every long engine function takes beside its input and options. */
export interface Context {
  readonly signal: AbortSignal
  readonly report: (event: JobEvent) => void
}

/** A context that nobody listens to. */
export const silent: Context = { signal: new AbortController().signal, report: () => undefined }
