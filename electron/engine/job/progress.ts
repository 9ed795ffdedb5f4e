/** @file Counts the units of a stage and says how long the rest will take, from the time of the units done so far. */
import type { Context, Stage } from '../../contract/events.ts'

/** Share of the stage after which a remaining time is worth saying. */
const shareForEstimate = 0.05

export interface Progress {
  /** `units` more are done; `item` names what comes next or was just done. */
  advance(item: string, units?: number): void
}

/** Begins a stage of `total` units. Units finished by an earlier run count as `already` and not for the estimate. */
export function beginStage({ report }: Context, stage: Stage, total: number, already = 0): Progress {
  const begun = performance.now()
  let done = already
  report({ type: 'stage', stage, total })
  return {
    advance(item, units = 1) {
      done += units
      const worked = done - already
      const remainingMs = worked / total > shareForEstimate ? ((performance.now() - begun) / worked) * (total - done) : null
      report({ type: 'progress', stage, done, total, item, remainingMs })
    },
  }
}
