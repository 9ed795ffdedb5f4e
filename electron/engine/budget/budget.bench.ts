/** @file How long the allocators take at the size of a large language model: 300 layers of 10 options. */
import { silent } from '../../contract/events.ts'
import type { Sensitivity } from '../../contract/sensitivity.ts'
import { paretoCurve, solveExact } from './exact.ts'
import { allocateGreedy } from './greedy.ts'
import { allocateMilp, costConstraint } from './milp.ts'
import { optionBytes } from './option-bytes.ts'
import { plan } from './plan.ts'
import { largeProblem } from './testing.ts'

const layers = 300
const shares = [0.05, 0.1, 0.2, 0.3, 0.5, 0.8] // of the way from the smallest to the largest size

export async function bench(): Promise<readonly Record<string, unknown>[]> {
  const groups = largeProblem(layers)
  const curve = await paretoCurve(groups)
  const results: Record<string, unknown>[] = [{ what: 'curve', layers, options: 10, ms: (await timed(() => paretoCurve(groups))).ms, points: curve.points.length }]
  const smallest = curve.points[0].cost
  const largest = curve.points[curve.points.length - 1].cost
  for (const share of shares) {
    const limit = Math.floor(smallest + share * (largest - smallest))
    const { ms, value } = await timed(() => solveExact(groups, limit))
    const begun = performance.now()
    const programme = await allocateMilp(groups, [costConstraint(groups, limit)])
    results.push({
      what: 'solve', layers, options: 10, share, ms, isProved: value?.loss === value?.lowerBound,
      greedyOverExact: (allocateGreedy(groups, limit)?.loss ?? NaN) / (value?.loss ?? NaN),
      milpOverExact: (programme?.loss ?? NaN) / (value?.loss ?? NaN), milpMs: Math.round(performance.now() - begun),
    })
  }
  results.push(await benchPlan())
  return results
}

/** A map of 300 layers in 10 GGUF formats, as `measure` writes it. */
function sensitivity(): Sensitivity {
  const formats = ['Q2_K', 'Q3_K', 'IQ4_XS', 'Q4_K', 'Q4_0', 'Q5_K', 'Q5_0', 'Q6_K', 'Q8_0', 'F16'] as const
  return {
    version: 1, tool: 'bench', model: { path: 'm', sha256: 'a' }, data: { path: 'd', sha256: 'b' }, metric: 'layer-output', rounder: 'gptq', complete: true,
    layers: Array.from({ length: layers }, (_, at) => {
      const shape = [[4096, 4096], [1024, 4096], [14_336, 4096], [4096, 14_336]][at % 4]
      const [rows, cols] = shape
      const options = formats.map((format) => {
        const size = optionBytes('gguf', { name: 'x', kind: 'matmul', shape }, format)
        const bytes = 'bytes' in size ? size.bytes : 0
        return [format, { bytes, value: rows * cols * 4 ** ((-8 * bytes) / rows / cols) * (1 + ((at * 7919) % 97)), stderr: 0 }] as const
      })
      return { name: `blocks.${at}.x`, kind: 'matmul', shape, elements: rows * cols, block: at, ties: null, excluded: {}, options: Object.fromEntries(options) }
    }),
  }
}

/** A whole plan: parsing, pricing, solving, curve, baselines. */
async function benchPlan(): Promise<Record<string, unknown>> {
  const measured = sensitivity()
  const elements = measured.layers.reduce((sum, layer) => sum + layer.elements, 0)
  const dependencies = { tool: 'bench', elements, fixedBytes: () => 1e6, predict: () => ({ peakMemoryBytes: 0, elapsedMs: 0 }) }
  const { ms, value } = await timed(() => plan({ model: 'm', measured, target: 'gguf', budget: { kind: 'bits', value: 3.7 } }, dependencies, silent))
  return { what: 'plan', layers, options: 10, ms, points: value.curve.length, warnings: value.warnings.length }
}

/** The best of five runs. */
async function timed<T>(run: () => Promise<T>): Promise<{ ms: number; value: T }> {
  let ms = Infinity
  let value = await run()
  for (let repeat = 0; repeat < 5; repeat++) {
    const begun = performance.now()
    value = await run()
    ms = Math.min(ms, performance.now() - begun)
  }
  return { ms: Number(ms.toFixed(2)), value }
}
