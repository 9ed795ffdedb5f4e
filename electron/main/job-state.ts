/** @file The states of a job as one table: action → from → to. What is not in the table is not possible. */
import type { JobState } from '../contract/job.ts'

export type JobAction = 'start' | 'pause' | 'cancel' | 'stopped' | 'finish' | 'finish-with-warnings' | 'fail' | 'interrupt' | 'hold' | 'resume'

const moves: Readonly<Record<JobAction, Partial<Record<JobState, JobState>>>> = {
  start: { waiting: 'running' },
  pause: { running: 'pausing', waiting: 'paused' },
  cancel: { running: 'cancelling', pausing: 'cancelling', waiting: 'cancelled', paused: 'cancelled', interrupted: 'cancelled' },
  // The engine let go of the work, as it was asked to.
  stopped: { pausing: 'paused', cancelling: 'cancelled' },
  finish: { running: 'done', pausing: 'done', cancelling: 'done' },
  'finish-with-warnings': { running: 'done-with-warnings', pausing: 'done-with-warnings', cancelling: 'done-with-warnings' },
  fail: { running: 'failed', pausing: 'failed', cancelling: 'cancelled' },
  // The engine's process ended under it.
  interrupt: { running: 'interrupted', pausing: 'paused', cancelling: 'cancelled' },
  // The machine has no room now; it goes on by itself once there is.
  hold: { waiting: 'paused', running: 'paused' },
  resume: { paused: 'waiting', interrupted: 'waiting', failed: 'waiting', cancelled: 'waiting' },
}

/** The state after `action`, or undefined where it is not possible. */
export function move(state: JobState, action: JobAction): JobState | undefined {
  return moves[action][state]
}
