/** @file The numbers of an evaluation and the report of `compress`: the same words everywhere. */
import { z } from 'zod'
import { OutputQuality } from './graph.ts'
import { LayerChoice } from './recipe.ts'
import { TrainingSummary } from './training.ts'

export const Evaluation = z.object({
  sizeBytes: z.number(),
  bitsPerWeight: z.number(),
  /** Bits per weight of the quantized layers alone. */
  bitsPerWeightLayers: z.number().optional(),
  /** Of language models, where there was text to evaluate on. */
  perplexity: z.number().optional(),
  perplexityStderr: z.number().optional(),
  perplexityReference: z.number().optional(),
  klMean: z.number().optional(),
  klStderr: z.number().optional(),
  klMedian: z.number().optional(),
  kl99: z.number().optional(),
  /** Share of positions at which both models' most likely token is the same. */
  sameTop: z.number().optional(),
  /** Of an ONNX graph: each output against the original's, over `samples` samples. It has no perplexity. */
  outputs: z.array(OutputQuality).optional(),
  samples: z.number().optional(),
  tokens: z.number(),
})
export type Evaluation = z.infer<typeof Evaluation>
/** An evaluation on text. */
export type TextEvaluation = Evaluation & { readonly perplexity: number; readonly perplexityStderr: number }

export const CompressReport = Evaluation.extend({
  output: z.string(),
  target: z.string(),
  sha256: z.string(),
  /** Low-rank corrections in a file of their own, counted in sizeBytes. */
  adapter: z.object({ path: z.string(), sizeBytes: z.number(), sha256: z.string() }).optional(),
  /** Of corrections that are trained. */
  training: TrainingSummary.optional(),
  peakMemoryBytes: z.number(),
  elapsedMs: z.number(),
  predicted: z.object({ sizeBytes: z.number(), peakMemoryBytes: z.number(), elapsedMs: z.number(), loss: z.number() }),
  /** Longest time the event loop did not turn, in milliseconds. */
  eventLoopMaxMs: z.number(),
  /** Most processor time of the main thread between two turns, in milliseconds: other programs do not count. */
  eventLoopMaxCpuMs: z.number().optional(),
  layers: z.array(LayerChoice),
  warnings: z.array(z.string()),
})
export type CompressReport = z.infer<typeof CompressReport>
