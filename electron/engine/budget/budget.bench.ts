/** @file How long the allocators take at the size of a large language model: 300 layers of 10 options. */
import { paretoCurve, solveExact } from './exact.ts'
import { allocateGreedy } from './greedy.ts'
import { allocateMilp, costConstraint } from './milp.ts'
import { largeProblem } from './testing.ts'

const layers = 300
const shares = [0.05, 0.1, 0.2, 0.3, 0.5, 0.8] // of the way from the smallest to the largest size

export async function bench(): Promise<readonly Record<string, unknown>[]> {
  const groups = largeProblem(layers)
  const curve = paretoCurve(groups)
  const results: Record<string, unknown>[] = [{ what: 'curve', layers, options: 10, ms: timed(() => paretoCurve(groups)).ms, points: curve.points.length }]
  const smallest = curve.points[0].cost
  const largest = curve.points[curve.points.length - 1].cost
  for (const share of shares) {
    const limit = Math.floor(smallest + share * (largest - smallest))
    const { ms, value } = timed(() => solveExact(groups, limit))
    const begun = performance.now()
    const programme = await allocateMilp(groups, [costConstraint(groups, limit)])
    results.push({
      what: 'solve', layers, options: 10, share, ms, isProved: value?.loss === value?.lowerBound,
      greedyOverExact: (allocateGreedy(groups, limit)?.loss ?? NaN) / (value?.loss ?? NaN),
      milpOverExact: (programme?.loss ?? NaN) / (value?.loss ?? NaN), milpMs: Math.round(performance.now() - begun),
    })
  }
  return results
}

/** The best of five runs. */
function timed<T>(run: () => T): { ms: number; value: T } {
  let ms = Infinity
  let value = run()
  for (let repeat = 0; repeat < 5; repeat++) {
    const begun = performance.now()
    value = run()
    ms = Math.min(ms, performance.now() - begun)
  }
  return { ms: Number(ms.toFixed(2)), value }
}
