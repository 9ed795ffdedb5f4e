/** @file The settings of a training run, checked, with their defaults. */
import { z } from 'zod'
import { objectiveNames, trainableSets } from '../../contract/training.ts'

const positive = z.number().int().positive()
const rate = z.number().positive().max(1)

export const TrainOptions = z.object({
  objective: z.enum(objectiveNames).default('lrec'),
  /** Weights in place of the objective's own. */
  weights: z.object({ kl: z.number().nonnegative(), ce: z.number().nonnegative(), state: z.number().nonnegative() }).partial().default({}),
  trainable: z.array(z.enum(trainableSets)).min(1).default(['adapters']),
  /** Rank of new branches, and their alpha (the rank where it is not said). Branches that are given keep theirs. */
  rank: positive.default(16),
  alpha: z.number().positive().optional(),
  steps: positive.default(300),
  /** Windows of a step, and how many of them go through the model side by side. */
  batch: positive.default(8),
  microBatch: positive.default(1),
  /** Peak rate of the branches, falling with the root of the width where it is not said. */
  learningRate: rate.optional(),
  scaleRate: rate.optional(),
  normRate: rate.optional(),
  codeRate: rate.optional(),
  /** Steps of linear warm-up; 3 % of the run where it is not said. */
  warmup: z.number().int().nonnegative().optional(),
  /** Share of the peak rate at the end. */
  floor: z.number().min(0).max(1).default(0),
  weightDecay: z.number().nonnegative().default(0),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-8),
  /** Largest norm of a gradient. */
  clip: z.number().positive().default(1),
  seed: z.number().int().default(0),
  /** Steps between evaluations on held-out windows, and how many without an improvement end the run; 0 for no end. */
  evaluateEvery: positive.default(25),
  patience: z.number().int().nonnegative().default(5),
  checkpointEvery: positive.default(25),
  /** Tokens of the teacher kept at each position (objective kd-topk). */
  top: positive.default(64),
})
export type TrainOptions = z.infer<typeof TrainOptions>

/** Rate at which branches of a model of width 256 learn well; wider models take smaller ones. */
const BRANCH_RATE = 1e-3
const BRANCH_RATE_WIDTH = 256
/** Scales move by factors near 1, norms by small differences. */
const SCALE_RATE = 2e-3
const NORM_RATE = 1e-3
/** Share of these beside trained codes: a scale that moves puts many weights of its group past the middle of their cells. */
const BESIDE_CODES = 0.3
/**
 * Codes move in steps of the grid, whatever the model. Their gradients are noise for the most part: at a rate that falls with the root of the
 * steps, chance moves a code as far in a long run as in a short one, and what the data says moves it further.
 */
const CODE_RATE = 2.9e-3
const CODE_RATE_STEPS = 1000
const CODE_RATE_MOST = 5e-3
const WARMUP_SHARE = 0.03

/** Peak rates and warm-up of a run on a model of a width. */
export function pace({ learningRate, scaleRate, normRate, codeRate, warmup, steps, trainable }: TrainOptions, hidden: number) {
  const shrink = Math.min(1, Math.sqrt(BRANCH_RATE_WIDTH / hidden))
  const share = shrink * (trainable.includes('codes') ? BESIDE_CODES : 1)
  return {
    rates: { adapters: learningRate ?? BRANCH_RATE * shrink, scales: scaleRate ?? SCALE_RATE * share, norms: normRate ?? NORM_RATE * share, codes: codeRate ?? Math.min(CODE_RATE_MOST, CODE_RATE * Math.sqrt(CODE_RATE_STEPS / steps)) },
    warmup: warmup ?? Math.ceil(steps * WARMUP_SHARE),
  }
}
