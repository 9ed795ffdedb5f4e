/**
 * @file What training minimizes: a weighted sum of terms at the logits (against the labels or a teacher) and of mean squared
 * errors of block outputs against the teacher's. All terms are means over tokens, so a loss does not depend on window or batch.
 */

/** Terms at the logits; `program/terms.ts` has their graphs. */
export const logitTerms = ['ce', 'kl', 'kl-top'] as const
export type LogitTerm = (typeof logitTerms)[number]

export interface Objective {
  /** Weight of each term at the logits; terms that are absent are not computed. */
  readonly logits: Readonly<Partial<Record<LogitTerm, number>>>
  /** Weight of the error of a block's output; 0 where it does not count. */
  readonly state: (block: number, blocks: number) => number
  /** Whether the error of a block's output is divided by the mean square of the teacher's. */
  readonly relative: boolean
}

/** Weights in place of an objective's own. */
export interface ObjectiveWeights {
  readonly kl?: number | undefined
  readonly ce?: number | undefined
  readonly state?: number | undefined
}

export type ObjectiveMaker = (weights: ObjectiveWeights) => Objective

/** What of the teacher has to be kept for each window. */
export type TargetKind = 'last' | 'blocks' | 'top'

/** The teacher's targets that an objective needs; none for those that learn from labels alone. */
export function targetKind({ logits, state }: Objective, blocks: number): TargetKind | null {
  if (Array.from({ length: blocks - 1 }, (_, block) => state(block, blocks)).some((weight) => weight !== 0)) return 'blocks'
  if (logits.kl !== undefined || state(blocks - 1, blocks) !== 0) return 'last'
  return logits['kl-top'] === undefined ? null : 'top'
}
