/** @file The allocators a plan may name. Each takes the same problem; they differ in what they promise. */
import type { PlanInput } from '../../contract/engine.ts'
import { AppError } from '../../contract/errors.ts'
import type { Allocation, Group } from './allocation.ts'
import { solveExact } from './exact.ts'
import { bestMeasured, exponentCandidates } from './exponent.ts'
import { allocateGreedy } from './greedy.ts'
import { allocateMonotone } from './hawq-monotone.ts'
import { allocateMilp, costConstraint } from './milp.ts'

export interface AllocationProblem {
  readonly groups: readonly Group[]
  readonly limit: number
  /** Sensitivity of each group, for allocators that rank them. */
  readonly scores: readonly number[]
  /** Option names from few to many bits. */
  readonly order: readonly string[]
  /** Really evaluates a choice, smaller is better; missing where there is nothing to evaluate on. */
  readonly measure?: ((choice: readonly number[]) => Promise<number>) | undefined
}

/** Null where the allocator finds no choice within the limit. */
export type Allocator = (problem: AllocationProblem, signal: AbortSignal) => Promise<Allocation | null>
export type AllocatorName = NonNullable<PlanInput['allocator']>

export const allocators = {
  /** The proved optimum of one cost (the default). */
  exact: ({ groups, limit }) => solveExact(groups, limit),
  /** The same optimum by an integer programme; needed where several costs are limited at once. */
  milp: ({ groups, limit }, signal) => allocateMilp(groups, [costConstraint(groups, limit)], { signal }),
  /** Steepest hull steps first: next to optimal for many small layers. */
  greedy: ({ groups, limit }) => Promise.resolve(allocateGreedy(groups, limit)),
  /** HAWQ-V2's restricted search, for comparison. */
  monotone: ({ groups, limit, scores, order }) => Promise.resolve(allocateMonotone(groups, limit, scores, order)),
  /** The best of the optima under several powers of the loss, by evaluating each. */
  async exponent({ groups, limit, measure }) {
    if (measure === undefined) throw new AppError('bad-request', 'the allocator "exponent" evaluates its candidates: found no data to do it on', { hint: 'Use a map measured on data, or the allocator "exact".' })
    const best = await bestMeasured(await exponentCandidates(groups, limit), ({ choice }) => measure(choice))
    return best?.candidate ?? null
  },
} satisfies Record<AllocatorName, Allocator>
