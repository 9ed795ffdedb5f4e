/** @file How fast this machine is: measured, not looked up, so that predictions hold on the machine in front of the user. */
import { kernels } from '../../../kernels/kernels.ts'

/** Side of the square product used to measure; large enough to leave the caches, small enough to take a few milliseconds. */
const side = 512
/** The fastest run of this long counts: others share the machine, and a processor that was idle takes tens of milliseconds to come up to speed. */
const measuredMs = 150

export interface Machine {
  /** Floating-point operations a second of a dense single-precision product on all threads. */
  readonly flops: number
}

/** Measures this machine in about 150 ms. */
export async function measureMachine(): Promise<Machine> {
  const a = new Float32Array(side * side).fill(0.5)
  const c = new Float32Array(side * side)
  let fastestMs = Infinity
  const until = performance.now() + measuredMs
  do {
    const begun = performance.now()
    await kernels().matmul(a, a, side, side, side, false, true, c)
    fastestMs = Math.min(fastestMs, performance.now() - begun)
  } while (performance.now() < until)
  return { flops: (2 * side ** 3) / (fastestMs / 1000) }
}
