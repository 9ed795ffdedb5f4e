/**
 * @file Every call the window can make: channel → shapes of input and output. One Electron channel carries them all; main
 * checks the sender and the input. Files are named by handles that main gave out, never by paths.
 */
import { z } from 'zod'
import { commands, type CommandId } from './commands.ts'
import { CellView, DataPreview, ModelSummary, Plan } from './engine.ts'
import { TimedEvent } from './events.ts'
import { HubModel, JobRecord } from './job.ts'
import { Draft, Project, ProjectPatch } from './project.ts'
import { Sensitivity } from './sensitivity.ts'
import { Settings, SettingsPatch } from './settings.ts'

/** A file the user gave to the app. `id` is the only name the window may use for it. */
export const FileHandle = z.object({ id: z.string(), name: z.string(), kind: z.enum(['file', 'folder']) })
export type FileHandle = z.infer<typeof FileHandle>

export const EngineState = z.enum(['starting', 'ready', 'not-responding', 'stopped'])
export type EngineState = z.infer<typeof EngineState>

export const RecentProject = z.object({ id: z.string(), name: z.string(), model: z.string(), openedAt: z.number(), step: z.string() })
export type RecentProject = z.infer<typeof RecentProject>

/** The open project with what is known of it. */
export const OpenProject = z.object({
  project: Project,
  summary: ModelSummary,
  preview: DataPreview.nullable(),
  sensitivity: Sensitivity.nullable(),
})
export type OpenProject = z.infer<typeof OpenProject>

export const Snapshot = z.object({
  seq: z.number(),
  version: z.string(),
  platform: z.string(),
  machine: z.object({ memoryBytes: z.number(), cores: z.number() }),
  settings: Settings,
  outputFolder: z.string(),
  open: OpenProject.nullable(),
  recent: z.array(RecentProject),
  jobs: z.array(JobRecord),
  engine: EngineState,
})
export type Snapshot = z.infer<typeof Snapshot>

/** What will happen when the plan is run: said before, compared after. */
export const Review = z.object({
  out: z.string(),
  exists: z.boolean(),
  diskNeededBytes: z.number(),
  diskFreeBytes: z.number(),
  memoryTotalBytes: z.number(),
})
export type Review = z.infer<typeof Review>

export const links = {
  guide: 'https://github.com/halftone-app/halftone#readme',
  llamaCpp: 'https://github.com/ggml-org/llama.cpp',
  onnxRuntime: 'https://onnxruntime.ai/docs/genai/',
  transformers: 'https://huggingface.co/docs/transformers',
  hub: 'https://huggingface.co/models',
} as const
export const LinkName = z.enum(['guide', 'llamaCpp', 'onnxRuntime', 'transformers', 'hub'] satisfies (keyof typeof links)[])

const none = z.undefined()
const JobId = z.object({ id: z.string() })
const ByHandle = z.object({ file: z.string() })

export const api = {
  /** The window is ready: everything it mirrors, before the first event. */
  'app.start': { input: none, output: Snapshot },
  'settings.update': { input: SettingsPatch, output: Settings },
  'settings.outputFolder': { input: none, output: z.string().nullable() },
  'link.open': { input: z.object({ link: LinkName }), output: none },
  'logs.show': { input: none, output: none },

  'file.choose': { input: z.object({ purpose: z.enum(['model', 'model-folder', 'weights', 'data', 'data-folder', 'recipe']) }), output: FileHandle.nullable() },
  'project.open': { input: ByHandle, output: OpenProject },
  /** The file that the model which could not be opened misses: it is put beside that, and the model is opened. */
  'project.locate': { input: ByHandle, output: OpenProject },
  'project.reopen': { input: z.object({ id: z.string() }), output: OpenProject },
  'project.example': { input: none, output: OpenProject },
  'project.downloaded': { input: z.object({ id: z.string() }), output: OpenProject },
  'project.close': { input: none, output: none },
  'project.forget': { input: z.object({ id: z.string() }), output: none },
  'project.update': { input: ProjectPatch, output: Project },
  'project.show': { input: none, output: none },

  'data.set': { input: ByHandle, output: DataPreview },
  'data.bundled': { input: none, output: DataPreview },
  'data.heldOut': { input: z.object({ file: z.string().nullable() }), output: Project },
  /** Lets go of the data that is being read. */
  'data.stop': { input: none, output: none },
  /** Forgets the data; the project goes on without. */
  'data.without': { input: none, output: Project },

  'map.cell': { input: z.object({ layer: z.string(), option: z.string() }), output: CellView },

  'plan.solve': { input: Draft, output: Plan },
  'run.review': { input: Draft, output: Review },

  /** How long measuring with the project's settings will take, in milliseconds; null where it cannot be told. */
  'measure.predict': { input: none, output: z.object({ elapsedMs: z.number().nullable() }) },
  'job.measure': { input: none, output: JobRecord },
  'job.run': { input: z.object({ draft: Draft, uniform: z.string().nullable(), replace: z.boolean() }), output: JobRecord },
  'job.evaluate': { input: z.object({ subject: z.string() }), output: JobRecord },
  'job.generate': { input: z.object({ subject: z.string(), prompt: z.string().min(1).max(20_000), tokens: z.number().int().min(1).max(2048), temperature: z.number().min(0).max(2), seed: z.number().int() }), output: JobRecord },
  'job.download': { input: HubModel, output: JobRecord },
  'job.fromRecipe': { input: ByHandle, output: JobRecord },
  'job.pause': { input: JobId, output: none },
  'job.resume': { input: JobId, output: none },
  /** Goes on with less memory for intermediate results. */
  'job.resumeWithLess': { input: JobId, output: none },
  'job.cancel': { input: JobId, output: none },
  'job.remove': { input: JobId, output: none },
  /** To the place before another job, or to the end. */
  'job.move': { input: z.object({ id: z.string(), before: z.string().nullable() }), output: none },
  'job.duplicate': { input: JobId, output: JobRecord },
  'job.events': { input: JobId, output: z.array(TimedEvent) },
  'job.show': { input: JobId, output: none },
  'engine.restart': { input: none, output: none },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>

export type Channel = keyof typeof api
export type Input<C extends Channel> = z.input<(typeof api)[C]['input']>
export type Parsed<C extends Channel> = z.infer<(typeof api)[C]['input']>
export type Output<C extends Channel> = z.infer<(typeof api)[C]['output']>

/** What main tells the window on its own. `seq` counts without gaps; a gap asks for a new snapshot. */
export type AppEvent =
  | { readonly type: 'settings'; readonly settings: Settings; readonly outputFolder: string }
  | { readonly type: 'project'; readonly open: OpenProject | null }
  | { readonly type: 'recent'; readonly recent: readonly RecentProject[] }
  | { readonly type: 'sensitivity'; readonly sensitivity: Sensitivity | null }
  /** The queue's order, and by absence what was removed from it. */
  | { readonly type: 'order'; readonly ids: readonly string[] }
  | { readonly type: 'job'; readonly job: JobRecord }
  | { readonly type: 'job-events'; readonly id: string; readonly events: readonly TimedEvent[] }
  | { readonly type: 'engine'; readonly state: EngineState; readonly memoryBytes: number | null }
  | { readonly type: 'command'; readonly command: CommandId }
  | { readonly type: 'opened'; readonly file: FileHandle }
export type Sequenced = AppEvent & { readonly seq: number }

export const isCommandId = (value: string): value is CommandId => Object.hasOwn(commands, value)

/** What the preload script gives the page, and nothing else. */
export interface Preload {
  call: (channel: Channel, input: unknown) => Promise<unknown>
  onEvent: (listener: (event: Sequenced) => void) => () => void
  adoptFile: (file: File) => Promise<unknown>
}
