/**
 * @file A project: one model, its data, what was chosen for it. A folder with `project.json` and `sensitivity.json`; there is
 * no Save button. The wizard's steps are views of it.
 */
import { z } from 'zod'
import { ImageOptions } from './graph.ts'
import { Target } from './options.ts'
import { Budget, corrections, rounders } from './recipe.ts'

export const steps = ['model', 'data', 'sensitivity', 'budget', 'run', 'compare', 'export'] as const
export const Step = z.enum(steps)
export type Step = z.infer<typeof Step>

/** Everything a plan is made from, beside the measurement. */
export const Draft = z.object({
  target: Target.default('gguf'),
  budget: Budget.default({ kind: 'bits', value: 4.5 }),
  pins: z.record(z.string(), z.string()).default({}),
  correction: z.enum(corrections).default('none'),
})
export type Draft = z.infer<typeof Draft>

export const MeasureSettings = z.object({
  metric: z.string().default('kl-scaled'),
  rounder: z.enum(rounders).default('guided'),
  /** Low-rank corrections are measured beside every format, so that a plan may choose them. */
  correction: z.enum(['none', 'eora']).default('none'),
  samples: z.number().int().min(1).max(4096).default(48),
  length: z.number().int().min(16).max(8192).default(512),
  /** Of an ONNX graph: how pictures become its input. What is missing is read beside the model. */
  image: ImageOptions.optional(),
})
export type MeasureSettings = z.infer<typeof MeasureSettings>

export const DataSource = z.object({
  path: z.string(),
  name: z.string(),
  sha256: z.string(),
  /** The text to evaluate on, kept apart from calibration; null: a part of the data itself. */
  heldOut: z.object({ path: z.string(), name: z.string(), sha256: z.string() }).nullable(),
})
export type DataSource = z.infer<typeof DataSource>

/** A limit the result has to keep: the verdict of the Compare step. */
export const limitMeasures = ['klMean', 'perplexityIncrease', 'sameTop', 'sqnr', 'sizeBytes', 'tokensPerSecond'] as const
export const Limit = z.object({ measure: z.enum(limitMeasures), value: z.number() })
export type Limit = z.infer<typeof Limit>

export const Project = z.object({
  version: z.literal(1),
  id: z.string(),
  name: z.string(),
  model: z.string(),
  openedAt: z.number(),
  step: Step.default('model'),
  data: DataSource.nullable().default(null),
  /** The user goes on without data: only what the weights alone tell is measured and used. */
  withoutData: z.boolean().default(false),
  measure: MeasureSettings.prefault({}),
  /** What the saved sensitivity map was measured with; null: nothing measured. */
  measured: z.object({ data: z.string(), settings: MeasureSettings }).nullable().default(null),
  draft: Draft.prefault({}),
  limits: z.array(Limit).default([{ measure: 'klMean', value: 0.02 }]),
})
export type Project = z.infer<typeof Project>

/** What the window may change directly; the rest changes by opening files and running jobs. */
export const ProjectPatch = z.object({ name: z.string().min(1), step: Step, measure: MeasureSettings, draft: Draft, limits: z.array(Limit) }).partial()
export type ProjectPatch = z.infer<typeof ProjectPatch>
