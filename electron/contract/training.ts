/** @file The words of training: what is minimized, what is changed, and how a recipe asks for it. */
import { z } from 'zod'
import { usualTraining } from './usual-training.ts'

/** lrec: KL to the original's predictions and cross-entropy; rilq: its last hidden state and cross-entropy; block: its blocks' outputs; ce: the data alone; kd-topk: its most likely tokens. */
export const objectiveNames = ['lrec', 'rilq', 'block', 'ce', 'kd-topk'] as const
export type ObjectiveName = (typeof objectiveNames)[number]

/** Low-rank branches; the scales stored in quantized layers; norms; the codes themselves (learned rounding). All but the first cost no bytes. */
export const trainableSets = ['adapters', 'scales', 'norms', 'codes'] as const
export type TrainableSet = (typeof trainableSets)[number]

/** Training of a recipe's correction; what is missing follows from the correction. */
export const Training = z.object({
  objective: z.enum(objectiveNames).optional(),
  trainable: z.array(z.enum(trainableSets)).min(1).optional(),
  steps: z.number().int().positive().default(usualTraining.steps),
  /** Windows of a step, tokens of a window, and most windows to learn from. */
  batch: z.number().int().positive().default(usualTraining.batch),
  length: z.number().int().min(2).default(usualTraining.length),
  windows: z.number().int().positive().default(usualTraining.windows),
  /** Windows that the original writes itself, to learn from beside those of the data; where it is missing, what a long run lacks in data, if the model is small. */
  written: z.number().int().nonnegative().optional(),
  /** Peak rates; chosen by the model's width where they are missing. */
  learningRate: z.number().positive().max(1).optional(),
  scaleRate: z.number().positive().max(1).optional(),
  normRate: z.number().positive().max(1).optional(),
  codeRate: z.number().positive().max(1).optional(),
  /** Weight of the cross-entropy of the data beside the original's predictions; the objective's own where it is missing. */
  ceWeight: z.number().nonnegative().optional(),
})
export type Training = z.infer<typeof Training>

/** What came of a training run. */
export const TrainingSummary = z.object({
  objective: z.enum(objectiveNames),
  trainable: z.array(z.enum(trainableSets)),
  steps: z.number(),
  updates: z.number(),
  stopped: z.enum(['steps', 'early']),
  /** Batches left out because a loss or gradient was not a number. */
  skipped: z.number(),
  /** Mean loss on windows that are not learned from, before the first step and of the values kept. */
  heldOut: z.object({ before: z.number(), after: z.number(), step: z.number() }).nullable(),
})
export type TrainingSummary = z.infer<typeof TrainingSummary>

export const TrainInput = z.object({
  /** A GGUF file, a folder (also of packed weights), or what `compress` wrote. */
  model: z.string(),
  /** JSON lines, CSV or Parquet of text, prompt and completion, or messages; or plain text. */
  data: z.string(),
  out: z.string(),
  objective: z.enum(objectiveNames).default('ce'),
  trainable: z.array(z.enum(trainableSets)).min(1).default(['adapters']),
  /** Of new branches; those of `adapter`, or of the model's correction, keep theirs. */
  rank: z.number().int().positive().default(16),
  alpha: z.number().positive().optional(),
  adapter: z.string().optional(), // branches to go on from
  reference: z.string().optional(), // the original model, for the objectives that learn from one
  /** Share of the examples that is held out, or a data file to judge by. */
  heldOut: z.union([z.number().min(0).lt(1), z.string()]).default(0.1),
  steps: z.number().int().positive().default(200),
  batch: z.number().int().positive().default(8),
  microBatch: z.number().int().positive().default(1),
  /** Most tokens of a window; at most the model's context. */
  length: z.number().int().min(2).default(512),
  learningRate: z.number().positive().max(1).optional(),
  seed: z.number().int().default(0),
  memoryBytes: z.number().int().positive().optional(),
  diskBytes: z.number().int().positive().optional(),
  /** Examples written by the model before and after, and tokens of each. */
  samples: z.number().int().nonnegative().default(3),
  sampleTokens: z.number().int().positive().default(32),
  resume: z.boolean().default(false),
})
export type TrainInput = z.input<typeof TrainInput>

const WrittenFile = z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string() })

export const TrainReport = z.object({
  model: z.string(),
  training: TrainingSummary,
  /** Of the fine-tuning data. */
  data: z.object({ rows: z.number(), examples: z.number(), duplicates: z.number(), truncated: z.number(), truncatedTokens: z.number(), unusable: z.number(), tokens: z.number(), targets: z.number() }),
  /** Branches for llama.cpp's --lora and for PEFT; null where none are trained. */
  adapter: z.object({ gguf: WrittenFile, peft: WrittenFile, parameters: z.number() }).nullable(),
  /** The model written anew, with trained scales and norms, or as a graph with the branches; null where it stays as it is. */
  output: WrittenFile.nullable(),
  /** Model and adapter together. */
  sizeBytes: z.number(),
  bitsPerWeight: z.number(),
  samples: z.array(z.object({ prompt: z.string(), expected: z.string(), before: z.string(), after: z.string() })),
  /** Loss curve: the picture, and its numbers by series. */
  curve: z.object({ svg: z.string(), json: z.string() }),
  predicted: z.object({ peakMemoryBytes: z.number(), elapsedMs: z.number() }),
  peakMemoryBytes: z.number(),
  elapsedMs: z.number(),
  warnings: z.array(z.string()),
})
export type TrainReport = z.infer<typeof TrainReport>
