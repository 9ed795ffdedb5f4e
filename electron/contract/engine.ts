/**
 * @file What the engine can do, as the window, the command line and the tests call it. Inputs and outputs are plain data;
 * methods marked long report JobEvents and can be cancelled.
 */
import { z } from 'zod'
import { GraphOptions } from './graph.ts'
import { Target } from './options.ts'
import { adapterStorages, Budget, Recipe, corrections, learnedRoundings, rounders } from './recipe.ts'
import { CompressReport, Evaluation } from './report.ts'
import { Sensitivity } from './sensitivity.ts'
import { TrainInput, Training, TrainReport } from './training.ts'

export const TensorSummary = z.object({
  name: z.string(),
  type: z.string(),
  shape: z.array(z.number()),
  bytes: z.number(),
  /** The layers this tensor holds (a fused q/k/v holds three); empty where it cannot be compressed. */
  layers: z.array(z.string()),
  /** Why it cannot be compressed; null where it can. */
  reason: z.string().nullable(),
})
export const LayerSummary = z.object({
  name: z.string(), kind: z.enum(['matmul', 'conv', 'embedding']), shape: z.array(z.number()), elements: z.number(), block: z.number().nullable(), ties: z.string().nullable(),
})
export const ModelSummary = z.object({
  path: z.string(),
  name: z.string(),
  format: z.enum(['safetensors', 'gguf', 'onnx']),
  architecture: z.string(),
  parameters: z.number(),
  sizeBytes: z.number(),
  blocks: z.number(),
  contextLength: z.number().nullable(),
  vocabulary: z.number().nullable(),
  tensors: z.array(TensorSummary),
  layers: z.array(LayerSummary),
  /** Of an ONNX graph: its inputs, in words too (`float32 [n, 3, 224, 224]`), and which data beside arrays can feed it. */
  graph: z.object({
    inputs: z.array(z.object({ name: z.string(), text: z.string() })),
    /** A folder of pictures; `fixed` where the model has a height and width of its own. */
    pictures: z.enum(['fixed', 'any size']).nullable(),
    /** JSON lines of texts or token ids. */
    takesTokens: z.boolean(),
    /** The way to measure it that allocates best for its time. */
    metric: z.string(),
  }).optional(),
  warnings: z.array(z.string()),
})
export type ModelSummary = z.infer<typeof ModelSummary>

export const DataPreview = z.object({
  path: z.string(),
  kind: z.enum(['text', 'jsonl', 'csv', 'parquet', 'folder', 'npz', 'npy', 'images']),
  sha256: z.string(),
  rows: z.number(),
  tokens: z.number(),
  windows: z.number(),
  duplicates: z.number(),
  /** Rows that cannot be used: number (from 1), field and reason. */
  bad: z.array(z.object({ row: z.number(), reason: z.string() })),
  /** First rows as the model sees them: token ids and the text each stands for. */
  samples: z.array(z.object({ tokens: z.array(z.number()), pieces: z.array(z.string()) })),
  /** Histogram of row lengths in tokens: bucket upper bounds and counts. */
  lengths: z.array(z.object({ upTo: z.number(), count: z.number() })),
  /** Of samples for an ONNX graph, which `rows` counts; of those, the first ones are looked at. */
  graph: z.object({
    inputs: z.array(z.object({ name: z.string(), type: z.string(), shape: z.array(z.number()), least: z.number(), mean: z.number(), most: z.number() })),
    isLabelled: z.boolean(),
    /** Samples that are pictures, as the model sees them: data URLs. */
    pictures: z.array(z.string()),
    /** What a person should know of how the data is read. */
    notes: z.array(z.string()),
  }).optional(),
})
export type DataPreview = z.infer<typeof DataPreview>

const Histogram = z.object({ low: z.number(), high: z.number(), /** In equal bins; the end bins hold what lies beyond. */ counts: z.array(z.number()) })
/** One layer in one format, closely: what the Sensitivity step shows of a cell. */
export const CellView = z.object({
  layer: z.string(),
  option: z.string(),
  /** Weights that share a scale. */
  group: z.number(),
  /** Rows looked at, of all. */
  rows: z.number(),
  allRows: z.number(),
  /** ‖W − Ŵ‖ / ‖W‖ of the rows looked at, rounded without data. */
  relativeError: z.number(),
  weights: Histogram,
  /** The group of median error: the values it takes in this format, and its weights. */
  levels: z.array(z.number()),
  sample: z.array(z.number()),
  /** Relative error by group. */
  errors: Histogram,
})
export type CellView = z.infer<typeof CellView>

export const lossNames = ['next-token', 'own-predictions'] as const

export const MeasureInput = z.object({
  model: z.string(),
  /** Without it only what the weights alone tell is measured: the metric sqnr with the rounders nearest and search. */
  data: z.string().optional(),
  metric: z.string().default('layer-output'),
  rounder: z.enum(rounders).default('gptq'),
  target: Target.optional(), // only the options this target can hold; all targets' options where it is missing
  /** Only these options, by name; a good selection of the target's where it is missing. */
  options: z.array(z.string()).optional(),
  /** With one, layers are also measured with low-rank corrections beside them: options such as `Q2_K+r8`. */
  correction: z.enum(corrections).default('none'),
  ranks: z.array(z.number().int().positive()).optional(), // 4, 8, 16, 32 and 64 where it is missing
  samples: z.number().int().positive().default(48),
  length: z.number().int().positive().default(512),
  /** What metrics of derivatives differentiate: the cross-entropy of the text, or of tokens drawn from the model's own predictions. */
  loss: z.enum(lossNames).default('own-predictions'),
  /** Draws of a Hessian trace; one a window where it is missing. */
  probes: z.number().int().positive().optional(),
  /** Pairs of layers whose joint loss is measured too. */
  pairs: z.number().int().nonnegative().default(0),
  /** A picture (SVG) of the density of the loss Hessian's eigenvalues, and the numbers beside it as JSON. */
  spectrum: z.string().optional(),
  seed: z.number().int().default(0),
  memoryBytes: z.number().int().positive().optional(),
  /** Of an ONNX graph. */
  graph: GraphOptions.optional(),
  /** Where sensitivity.json is written as it grows; an unfinished one with the same hashes is continued. */
  out: z.string(),
})
export type MeasureInput = z.input<typeof MeasureInput>

/** Costs of one token, or of one sample of an ONNX graph, that a plan may limit beside the size: multiplications, bit operations, milliseconds measured on this machine. */
export const limitNames = ['macs', 'bops', 'ms'] as const
export type LimitName = (typeof limitNames)[number]

/** What a plan may be asked to keep: divergence, perplexity (itself, or over the unquantized model's) at most; share of equal most likely tokens or classes, and decibels of a graph's outputs, at least. */
export const qualityNames = ['kl', 'ppl', 'ppl-ratio', 'same-top', 'sqnr'] as const
export type QualityName = (typeof qualityNames)[number]

/** Ways to choose; `exponent` tries its candidates on the data, the others only sum predicted losses. */
export const allocatorNames = ['exact', 'milp', 'greedy', 'monotone', 'exponent'] as const

export const PlanInput = z.object({
  model: z.string(),
  measured: Sensitivity,
  target: Target,
  budget: Budget,
  pins: z.record(z.string(), z.string()).default({}),
  allocator: z.enum(allocatorNames).default('exact'),
  /** Any of these makes the allocator `milp`. */
  limits: z.partialRecord(z.enum(limitNames), z.number().positive()).default({}),
  /** With it the smallest plan that keeps this quality is looked for, by really quantizing and evaluating; the budget is the largest size tried. */
  quality: z.object({ name: z.enum(qualityNames), value: z.number().positive() }).optional(),
  /** Held-out text that plans are evaluated on; a part of the measurement's data that was not calibrated on, without it. */
  text: z.string().optional(),
  correction: z.enum(corrections).default('none'),
  /** Only these ranks, 0 for none; all that were measured where it is missing. */
  ranks: z.array(z.number().int().nonnegative()).optional(),
  adapterStorage: z.enum(adapterStorages).default('float16'),
  /** After the rounder that was measured. */
  learnedRounding: z.enum(learnedRoundings).optional(),
  /** Of corrections that are trained. */
  training: Training.optional(),
})
export type PlanInput = z.input<typeof PlanInput>

export const PlanPoint = z.object({ bytes: z.number(), bitsPerWeight: z.number(), loss: z.number() })
export const Plan = z.object({
  recipe: Recipe,
  /** The whole Pareto curve of mixed plans, by growing size. */
  curve: z.array(PlanPoint),
  /** One option for every layer: the honest baseline. */
  uniform: z.array(PlanPoint.extend({ option: z.string() })),
  warnings: z.array(z.string()),
  /** Of a plan that was really evaluated: what the choice reaches, in the target's own unit, and how many choices were tried. */
  measured: z.object({ name: z.enum(qualityNames), value: z.number(), evaluations: z.number() }).optional(),
  /** Time the solver took, in milliseconds. */
  elapsedMs: z.number(),
})
export type Plan = z.infer<typeof Plan>

export const EvaluateInput = z.object({
  model: z.string(), // any readable model: folder, GGUF, ONNX
  reference: z.string().optional(),
  adapter: z.string().optional(), // of the model: a GGUF LoRA file or a PEFT folder
  text: z.string(),
  length: z.number().int().positive().default(512),
  windows: z.number().int().positive().optional(), // all of the text where it is missing
  memoryBytes: z.number().int().positive().optional(),
  /** Of an ONNX graph: how its samples are made from `text`. */
  graph: GraphOptions.optional(),
})
export type EvaluateInput = z.input<typeof EvaluateInput>

export const GenerateInput = z.object({
  model: z.string(),
  adapter: z.string().optional(),
  prompt: z.string(),
  tokens: z.number().int().positive().default(64),
  temperature: z.number().nonnegative().default(0),
  topP: z.number().positive().max(1).default(1),
  seed: z.number().int().default(0),
})
export type GenerateInput = z.input<typeof GenerateInput>

export const Generated = z.object({
  text: z.string(),
  tokens: z.number(),
  /** After the first token. */
  tokensPerSecond: z.number(),
  /** From nothing to the first token: opening the model, reading its weights, and the prompt. */
  firstTokenMs: z.number().optional(),
  /** From one token to the next. */
  tokenMs: z.object({ median: z.number(), p95: z.number() }).optional(),
})
export type Generated = z.infer<typeof Generated>

/** What an adapter can be made into, with the model it belongs to. */
export const adapterForms = ['gguf', 'peft', 'merged', 'requantized'] as const

export const AdaptInput = z.object({
  model: z.string(),
  adapter: z.string(),
  form: z.enum(adapterForms),
  /** Of a requantized merge: the format of every layer; each layer's present one where it is missing. */
  option: z.string().optional(),
  out: z.string(),
  /** Text on which a merge is compared with the model and its adapter. */
  text: z.string().optional(),
  length: z.number().int().positive().default(512),
  windows: z.number().int().positive().optional(),
})
export type AdaptInput = z.input<typeof AdaptInput>

export const AdaptReport = z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string(), /** The result against the model with its adapter. */ evaluation: Evaluation.optional() })
export type AdaptReport = z.infer<typeof AdaptReport>

/** Channel → shapes. `run` works in a job folder and can be resumed with the same input. */
export const engineMethods = {
  inspect: { input: z.object({ model: z.string() }), output: ModelSummary },
  previewData: { input: z.object({ model: z.string(), data: z.string(), length: z.number().int().positive().default(512), graph: GraphOptions.optional() }), output: DataPreview },
  /** Rows of the second data set, long ones, and how many of them are also in the first. */
  overlap: { input: z.object({ first: z.string(), second: z.string() }), output: z.object({ rows: z.number(), shared: z.number() }) },
  cell: { input: z.object({ model: z.string(), layer: z.string(), option: z.string(), method: z.enum(['nearest', 'search']).default('search') }), output: CellView },
  measure: { input: MeasureInput, output: Sensitivity },
  /** How long measuring will take, in milliseconds; null where it cannot be told. */
  predictMeasure: { input: MeasureInput.omit({ out: true }), output: z.object({ elapsedMs: z.number().nullable() }) },
  plan: { input: PlanInput, output: Plan },
  run: { input: z.object({ recipe: Recipe, folder: z.string(), out: z.string(), resume: z.boolean().default(false), text: z.string().optional() }), output: CompressReport },
  train: { input: TrainInput, output: TrainReport },
  evaluate: { input: EvaluateInput, output: Evaluation },
  adapt: { input: AdaptInput, output: AdaptReport },
  generate: { input: GenerateInput, output: Generated },
} as const satisfies Record<string, { input: z.ZodType; output: z.ZodType }>
export type EngineMethod = keyof typeof engineMethods
