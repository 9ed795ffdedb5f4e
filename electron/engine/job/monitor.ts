/** @file Watches a piece of work: time, peak memory of the process, and the longest time the event loop did not turn. */
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface Observed {
  readonly elapsedMs: number
  /** Highest resident memory of the process so far, in bytes. */
  readonly peakMemoryBytes: number
  readonly eventLoopMaxMs: number
  /** The most processor time the main thread spent between two turns: what is left of a delay on a machine with nothing else to do. Missing where the runtime cannot tell. */
  readonly eventLoopMaxCpuMs?: number
}

/** Resolution of the event loop's watch, in milliseconds; delays below it are not seen. */
const resolutionMs = 5

/** Watches the main thread's processor time from turn to turn; the returned function stops and tells the most, in milliseconds. */
function observeThread(): () => number | undefined {
  if (!('threadCpuUsage' in process)) return () => undefined
  const used = (): number => {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1000
  }
  let [last, most] = [used(), 0]
  const look = (): void => {
    const now = used()
    most = Math.max(most, now - last)
    last = now
  }
  const timer = setInterval(look, resolutionMs).unref()
  return () => {
    clearInterval(timer)
    return most
  }
}

/** Starts watching; the returned function stops and tells. */
export function observe(): () => Observed {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  const begun = performance.now()
  const thread = observeThread()
  delay.enable()
  return () => {
    delay.disable()
    const eventLoopMaxCpuMs = thread()
    return {
      elapsedMs: Math.round(performance.now() - begun),
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      eventLoopMaxMs: Math.max(0, delay.max / 1e6 - resolutionMs),
      ...(eventLoopMaxCpuMs !== undefined && { eventLoopMaxCpuMs }),
    }
  }
}
