/**
 * @file Allocation under Σ lossᵖ in place of Σ loss, for several p (the idea of exllamav2's optimizer): p > 1 punishes a single
 * bad layer more than many mediocre ones, a cheap stand-in for the dependencies between layers that a sum leaves out.
 * Which p is right is not known beforehand, so each gives a candidate and a real evaluation chooses.
 */
import { totals, type Allocation, type Group } from './allocation.ts'
import { solveExact } from './exact.ts'

/** p = 1 is the plain sum; losses are squared errors already, so exponents of an error norm are twice these. */
export const exponents = [0.75, 1, 1.25, 1.5, 1.75] as const

export interface Candidate extends Allocation {
  readonly exponent: number
}

/** The optimum for each exponent, with its plain loss; choices that several exponents share come once. Empty where nothing fits. */
export async function exponentCandidates(groups: readonly Group[], limit: number, powers: readonly number[] = exponents): Promise<Candidate[]> {
  const largest = Math.max(...groups.flatMap(({ options }) => options.map(({ loss }) => loss)), Number.MIN_VALUE)
  const candidates = new Map<string, Candidate>()
  for (const exponent of powers) {
    const raised = groups.map((group) => ({ ...group, options: group.options.map((option) => ({ ...option, loss: (option.loss / largest) ** exponent })) }))
    const solved = await solveExact(raised, limit)
    if (solved === null) return []
    const key = solved.choice.join()
    if (!candidates.has(key)) candidates.set(key, { exponent, choice: solved.choice, ...totals(groups, solved.choice), lowerBound: 0 })
  }
  return [...candidates.values()]
}

/** The candidate of least measured loss. */
export async function bestMeasured(candidates: readonly Candidate[], measure: (candidate: Candidate) => Promise<number>): Promise<{ candidate: Candidate; measured: number } | null> {
  let best: { candidate: Candidate; measured: number } | null = null
  for (const candidate of candidates) {
    const measured = await measure(candidate)
    if (best === null || measured < best.measured) best = { candidate, measured }
  }
  return best
}
