/**
 * @file Guided statistics: H = Σ_t s_t·x_t·x_tᵀ, where s_t is how much the loss minds an error at the outputs of token t (GuidedQuant, Kim et
 * al. 2025, §3, with all outputs of a layer in one group). A table that is looked up has no inputs; there G = E[g·gᵀ] stands for H, g the
 * loss's gradient at the row that was looked up. A tied table errs in both ways at once, and its Hessian is the sum.
 */
import { setImmediate } from 'node:timers/promises'
import type { Tap } from './runner.ts'
import { addInputs, type Statistics } from './statistics.ts'

/** What reads a tap of a block, or the head. */
export type GuidedPlace = `blocks.${number}.${Tap}` | 'head'

export interface Guidance {
  /** √s_t of every token of a window; the mean of s over all windows is 1. Undefined where nothing is known. */
  roots(place: GuidedPlace, window: number): Float32Array | undefined
  /** Σ_t g_t·g_tᵀ at the rows looked up. Null where nothing is known. */
  readonly lookups: Statistics | null
  /** Mean of the head's s_t before it was made 1, by which `lookups` are divided to be in one unit with the head's H. */
  readonly headMean: number
}

/** Adds inputs x [tokens, cols] of a window, each token's times its root; x is overwritten. */
export async function addGuided(statistics: Statistics, x: Float32Array, roots: Float32Array | undefined): Promise<void> {
  const { cols } = statistics
  if (roots) for (let at = 0; at < x.length; at++) x[at] *= roots[Math.floor(at / cols)]
  await addInputs(statistics, x)
}

/** Values between turns of other work. */
const TURN = 1 << 20

/** Statistics of a table by what it does: as the head over its inputs, as an embedding over what is looked up, both (added to `head`) where it is tied. */
export async function tableStatistics(table: 'embedding' | 'head' | 'tied', head: Statistics | null, guidance: Guidance | undefined): Promise<Statistics | null> {
  const lookups = guidance?.lookups ?? null
  if (table === 'head') return head
  if (table === 'embedding') return lookups
  if (guidance === undefined || head === null || lookups === null) return head
  const factor = head.tokens / (lookups.tokens * guidance.headMean)
  for (let at = 0; at < head.hessian.length; at++) {
    head.hessian[at] += factor * lookups.hessian[at]
    if (at % TURN === TURN - 1) await setImmediate()
  }
  return head
}
