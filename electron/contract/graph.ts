/** @file What a run over an ONNX graph needs beyond a language model's: how its inputs are made from data, which loss counts, and what is compared. */
import { z } from 'zod'

/** Cross-entropy or squared error against labels, or against the model's own predictions. */
export const graphLosses = ['ce', 'mse', 'self'] as const

/** How images become an input: resized to [height, width], divided by 255, less `mean`, divided by `std`, a channel each. */
export const ImageOptions = z.object({
  size: z.tuple([z.number().int().positive(), z.number().int().positive()]).optional(),
  mean: z.array(z.number()).min(1).max(4).optional(),
  std: z.array(z.number().positive()).min(1).max(4).optional(),
})
export type ImageOptions = z.infer<typeof ImageOptions>

export const GraphOptions = z.object({
  /** Chosen from the data and the model where it is missing. */
  loss: z.enum(graphLosses).optional(),
  image: ImageOptions.optional(),
})
export type GraphOptions = z.infer<typeof GraphOptions>

/** An output of the exported graph against the original's, over held-out samples. */
export const OutputQuality = z.object({
  name: z.string(),
  /** 10 log₁₀ (Σ y² / Σ (y − ŷ)²), in decibels. */
  sqnr: z.number(),
  /** Of all values of the output together. */
  cosine: z.number(),
  /** Share of predictions at which both have the same most likely class; for outputs that are classes. */
  sameTop: z.number().optional(),
  /** Mean KL divergence of the predictions; for outputs that are classes. */
  klMean: z.number().optional(),
})
export type OutputQuality = z.infer<typeof OutputQuality>
