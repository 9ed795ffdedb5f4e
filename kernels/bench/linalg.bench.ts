/** @file Speed of the dense kernels on one thread: products, Cholesky factors, Gram matrices, low-rank corrections. */
import { kernels } from '../kernels.ts'
import { normals } from '../test/random.ts'

interface Time { readonly seconds: number; readonly cpuSeconds: number }

/** The least of some runs; `prepare` is not counted. Processor time says more where other programs run beside. */
async function best(runs: number, work: () => Promise<unknown>, prepare: () => void = () => undefined): Promise<Time> {
  let least: Time = { seconds: Infinity, cpuSeconds: Infinity }
  for (let run = 0; run < runs; run++) {
    prepare()
    const [start, before] = [performance.now(), process.cpuUsage()]
    await work()
    const { user, system } = process.cpuUsage(before)
    least = { seconds: Math.min(least.seconds, (performance.now() - start) / 1000), cpuSeconds: Math.min(least.cpuSeconds, (user + system) / 1e6) }
  }
  return least
}

const rate = (operations: number, seconds: number) => Math.round(operations / seconds / 1e8) / 10

/** A matrix far from singular: noise with a heavy diagonal. */
function definite(n: number): Float32Array {
  const matrix = normals(n * n, 3)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) matrix[i * n + j] = matrix[j * n + i] ?? 0
    matrix[i * n + i] = 4 * Math.sqrt(n)
  }
  return matrix
}

/** Runs on one thread; restores all threads. */
export async function bench(): Promise<Record<string, unknown>[]> {
  const halftone = kernels()
  halftone.setThreads(1)
  const results: Record<string, unknown>[] = []
  const report = (name: string, operations: number, time: Time) =>
    results.push({ name, simd: halftone.simd(), threads: 1, ...time, gflops: rate(operations, time.seconds), gflopsPerCpuSecond: rate(operations, time.cpuSeconds) })

  for (const n of [256, 1024, 2048]) {
    const [a, b, c] = [normals(n * n, 1), normals(n * n, 2), new Float32Array(n * n)]
    report(`matmul ${n}`, 2 * n ** 3, await best(n > 1024 ? 3 : 8, () => halftone.matmul(a, b, n, n, n, false, false, c)))
  }
  for (const n of [1024, 4096]) {
    const [matrix, work] = [definite(n), new Float32Array(n * n)]
    report(`cholesky ${n}`, n ** 3 / 3, await best(3, () => halftone.cholesky(work, n), () => work.set(matrix)))
    const hessian = Float64Array.from(matrix)
    report(`inverse factor ${n}, double`, 2 * n ** 3 / 3, await best(1, () => halftone.inverseFactor(hessian, n, 0.01, work)))
  }
  const [tokens, cols] = [2048, 2048]
  const x = normals(tokens * cols, 4)
  const [hessian, absolute, maximum] = [new Float64Array(cols * cols), new Float64Array(cols), new Float32Array(cols)]
  report(`accumulate ${tokens} tokens of ${cols}`, tokens * cols ** 2, await best(2, () => halftone.accumulate(x, tokens, cols, hessian, absolute, maximum)))
  const shape = { rows: 1024, cols }
  const [left, right, rank] = [normals(1024 * cols, 5), normals(1024 * cols, 6), 32]
  report('output error 1024 x 2048', 2 * 1024 * cols ** 2, await best(1, () => halftone.outputError(left, right, shape, hessian)))
  const [b, a] = [new Float32Array(1024 * rank), new Float32Array(rank * cols)]
  results.push({ name: `low-rank correction 1024 x 2048, rank ${rank}`, threads: 1, ...(await best(1, () => halftone.lowRankCorrection(left, shape, hessian, rank, 0, b, a))) })
  halftone.setThreads(navigator.hardwareConcurrency)
  return results
}
