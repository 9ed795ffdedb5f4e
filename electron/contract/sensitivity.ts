/** @file sensitivity.json: what each layer loses under each option. Measured once, solved for any budget. */
import { z } from 'zod'
import { GraphOptions } from './graph.ts'

export const OptionCost = z.object({
  bytes: z.number().int().nonnegative(),
  /** Predicted loss, in the metric's own unit; monotone in bytes after measuring. */
  value: z.number().nonnegative(),
  stderr: z.number().nonnegative(),
})
export type OptionCost = z.infer<typeof OptionCost>

export const MeasuredLayer = z.object({
  name: z.string(),
  kind: z.enum(['matmul', 'conv', 'embedding']),
  /** [out, in] */
  shape: z.array(z.number().int().positive()),
  elements: z.number().int().positive(),
  block: z.number().int().nullable(),
  /** Layers that share a name here must be given the same option. */
  ties: z.string().nullable(),
  /** Of the loss Hessian, where it was measured. */
  trace: z.object({ value: z.number(), stderr: z.number() }).optional(),
  topEigenvalue: z.number().optional(),
  /** Options that this layer cannot take, with the reason ("576 columns are not a multiple of 256"). */
  excluded: z.record(z.string(), z.string()).default({}),
  options: z.record(z.string(), OptionCost),
})
export type MeasuredLayer = z.infer<typeof MeasuredLayer>

export const PairLoss = z.object({
  layers: z.tuple([z.string(), z.string()]),
  option: z.string(),
  /** Loss with one of them at the option, in their order. */
  alone: z.tuple([z.number(), z.number()]),
  together: z.number(),
  /** Of `together`. */
  stderr: z.number(),
})
export type PairLoss = z.infer<typeof PairLoss>

export const Sensitivity = z.object({
  version: z.literal(1),
  tool: z.string(),
  model: z.object({ path: z.string(), sha256: z.string() }),
  data: z.object({ path: z.string(), sha256: z.string(), tokens: z.number().int().optional(), samples: z.number().int().optional(), seed: z.number().int().optional() }),
  metric: z.string(),
  /** What was differentiated; missing where no derivatives were taken. */
  loss: z.string().optional(),
  /** Traces of the loss Hessian with respect to activations, in the order of computation. */
  activations: z.array(z.object({ name: z.string(), elements: z.number(), value: z.number(), stderr: z.number() })).optional(),
  /** Losses of two layers at one option each alone and together, measured as KL: a reconstruction of the published idea of inter-layer dependencies. */
  pairs: z.array(PairLoss).optional(),
  /** Of an ONNX graph: how its inputs are made and what its loss is. */
  graph: GraphOptions.optional(),
  rounder: z.string(),
  /** What the options with a rank were corrected by; missing where there are none. */
  correction: z.string().optional(),
  /** False while a measurement is under way or was stopped: layers without options are not measured yet. */
  complete: z.boolean().default(true),
  layers: z.array(MeasuredLayer),
})
export type Sensitivity = z.infer<typeof Sensitivity>
