/** @file recipe.json: everything `run` needs. The wizard is a view of this file, the command line another. */
import { z } from 'zod'
import { GraphOptions } from './graph.ts'
import { Target } from './options.ts'
import { Training } from './training.ts'

export const Budget = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('bits'), value: z.number().positive() }), // bits per weight over the whole file
  z.object({ kind: z.literal('bytes'), value: z.number().int().positive() }), // of the whole file
  z.object({ kind: z.literal('ratio'), value: z.number().positive().max(1) }), // of the source's 16-bit size
])
export type Budget = z.infer<typeof Budget>

export const LayerChoice = z.object({
  name: z.string(),
  option: z.string(),
  /** Rank of the low-rank correction; 0 for none. */
  rank: z.number().int().nonnegative().default(0),
  bytes: z.number().int().nonnegative(),
  predictedLoss: z.number(),
})
export type LayerChoice = z.infer<typeof LayerChoice>

/** `guided` is GPTQ over statistics whose tokens are weighed by the loss's gradients. */
export const rounders = ['nearest', 'search', 'gptq', 'guided'] as const
/** Roundings that move the codes of a block together, after the rounder: by the sign of gradients, or few codes at a time. */
export const learnedRoundings = ['signround', 'pv'] as const
export type LearnedRoundingName = (typeof learnedRoundings)[number]
/** `eora` to `svd` are closed forms over the calibration data; `lrec`, `rilq`, `scales` and `codes` are trained, the last two at no bytes. */
export const corrections = ['none', 'eora', 'lq-lora', 'diagonal', 'svd', 'lrec', 'rilq', 'scales', 'codes'] as const
/** How the numbers of low-rank corrections are stored. */
export const adapterStorages = ['float16', 'int8'] as const

/** How a safetensors folder stores quantized layers. */
export const packedLayouts = ['gptq', 'compressed-tensors'] as const
export type PackedLayoutName = (typeof packedLayouts)[number]

export const Recipe = z.object({
  version: z.literal(1),
  tool: z.string(),
  model: z.object({ path: z.string(), sha256: z.string() }),
  data: z.object({ path: z.string(), sha256: z.string(), samples: z.number().int().positive(), length: z.number().int().positive() }).nullable(),
  target: Target,
  budget: Budget,
  pins: z.record(z.string(), z.string()).default({}),
  metric: z.string(),
  /** Of an ONNX graph: how its inputs are made and what its loss is. */
  graph: GraphOptions.optional(),
  rounder: z.enum(rounders),
  /** What follows the rounder, block by block; nothing where it is missing. */
  learnedRounding: z.enum(learnedRoundings).optional(),
  correction: z.enum(corrections).default('none'),
  /** float16 where it is missing. */
  adapterStorage: z.enum(adapterStorages).optional(),
  /** Of the corrections that are trained; the defaults where it is missing. */
  training: Training.optional(),
  /** Of the target safetensors; chosen by the options where it is missing. */
  layout: z.enum(packedLayouts).optional(),
  seed: z.number().int().default(0),
  memoryBytes: z.number().int().positive().optional(),
  choice: z.array(LayerChoice),
  predicted: z.object({
    sizeBytes: z.number(),
    bitsPerWeight: z.number(),
    peakMemoryBytes: z.number(),
    elapsedMs: z.number(),
    loss: z.number(),
  }),
})
export type Recipe = z.infer<typeof Recipe>
