/** @file GPTQ of a 4096 x 4096 layer on one thread: factor, error feedback alone, with improvement, with sweeps; and what each loses. */
import type { CodecName } from '../../electron/contract/options.ts'
import { kernels, type GptqOptions } from '../kernels.ts'
import { normals } from '../test/random.ts'

const n = 4096
const tokens = 2048
const shape = { rows: n, cols: n }
const codecs: readonly CodecName[] = ['Q4_K', 'int4-g128']
const methods: Readonly<Record<string, (hessian: Float64Array) => GptqOptions>> = {
  'feedback alone': () => ({ improve: false }),
  improved: () => ({}),
  'improved, one sweep': (hessian) => ({ hessian }),
  'improved, two sweeps, as a run does': (hessian) => ({ hessian, sweeps: 2 }),
}

/** Layer inputs whose columns share a few directions. */
function inputs(): Float32Array {
  const shared = 32
  const [common, mixing, x] = [normals(tokens * shared, 1), normals(shared * n, 2), normals(tokens * n, 3)]
  for (let token = 0; token < tokens; token++) {
    for (let part = 0; part < 4; part++) {
      const direction = (token * 7 + part * 11) % shared
      const amount = common[token * shared + direction] ?? 0
      for (let j = 0; j < n; j++) x[token * n + j] = (x[token * n + j] ?? 0) + amount * (mixing[direction * n + j] ?? 0)
    }
  }
  return x
}

/** Processor time says more where other programs run beside. */
async function timed(work: () => Promise<unknown>): Promise<{ seconds: number; cpuSeconds: number }> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
}

/** Runs on one thread; restores all threads. */
export async function bench(): Promise<Record<string, unknown>[]> {
  const halftone = kernels()
  halftone.setThreads(1)
  const [hessian, factor, weights, dense] = [new Float64Array(n * n), new Float32Array(n * n), normals(n * n, 4).map((value) => 0.02 * value), new Float32Array(n * n)]
  await halftone.accumulate(inputs(), tokens, n, hessian, new Float64Array(n), new Float32Array(n))
  const importance = Float32Array.from({ length: n }, (_, j) => (hessian[j * n + j] ?? 0) / tokens)
  const factoring = await timed(() => halftone.inverseFactor(hessian, n, 0.1, factor))
  const results: Record<string, unknown>[] = [{ name: 'inverse factor 4096', threads: 1, ...factoring }]
  for (const codec of codecs) {
    const bytes = new Uint8Array(halftone.codecBytes(codec, shape))
    const loss = async () => {
      await halftone.decode(codec, shape, bytes, dense)
      return halftone.outputError(weights, dense, shape, hessian)
    }
    const searching = await timed(() => halftone.encode(codec, shape, weights, importance, 'search', bytes))
    const searched = await loss()
    results.push({ name: `search ${codec} 4096 x 4096`, threads: 1, ...searching })
    for (const [method, options] of Object.entries(methods)) {
      const rounding = await timed(() => halftone.gptq(codec, shape, weights, factor, importance, options(hessian), bytes))
      results.push({ name: `gptq ${codec} 4096 x 4096, ${method}`, threads: 1, ...rounding, cpuSecondsWithFactor: rounding.cpuSeconds + factoring.cpuSeconds, lossOfSearch: await loss() / searched })
    }
  }
  halftone.setThreads(navigator.hardwareConcurrency)
  return results
}
