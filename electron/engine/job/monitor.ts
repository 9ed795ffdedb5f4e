/** @file Watches a piece of work: time, peak memory of the process, and the longest time the event loop did not turn. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface Observed {
  readonly elapsedMs: number
  /** Highest resident memory of the process so far, in bytes. */
  readonly peakMemoryBytes: number
  readonly eventLoopMaxMs: number
}

/** Resolution of the event loop's watch, in milliseconds; delays below it are not seen. */
const resolutionMs = 5

/** Starts watching; the returned function stops and tells. */
export function observe(): () => Observed {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  const begun = performance.now()
  delay.enable()
  return () => {
    delay.disable()
    return {
      elapsedMs: Math.round(performance.now() - begun),
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      eventLoopMaxMs: Math.max(0, delay.max / 1e6 - resolutionMs),
    }
  }
}
