/** @file How jobs are spoken of: states, stages, kinds. Only failed and interrupted are red; cancelled is neutral. */
import type { Stage } from '../../../electron/contract/events.ts'
import type { JobKind, JobState } from '../../../electron/contract/job.ts'

type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'accent'
export const stateWords: Readonly<Record<JobState, readonly [words: string, tone: Tone]>> = {
  waiting: ['waiting', 'neutral'], running: ['running', 'accent'], pausing: ['pausing…', 'accent'], paused: ['paused', 'neutral'], cancelling: ['cancelling…', 'accent'], cancelled: ['cancelled', 'neutral'],
  interrupted: ['interrupted', 'bad'], failed: ['failed', 'bad'], done: ['done', 'good'], 'done-with-warnings': ['done, with warnings', 'warn'],
}
export const kindWords: Readonly<Record<JobKind, string>> = { measure: 'measure', run: 'compress', evaluate: 'evaluate', generate: 'generate', download: 'download' }
export const stageWords: Readonly<Record<Stage, string>> = {
  open: 'Read the model', calibrate: 'Read your data', measure: 'Measure', plan: 'Plan', quantize: 'Quantize, block by block', correct: 'Correct', train: 'Train', export: 'Write the file', evaluate: 'Open it again and evaluate', verify: 'Verify',
}
/** The stages of a run, in order. */
export const runStages: readonly Stage[] = ['open', 'calibrate', 'quantize', 'correct', 'train', 'export', 'evaluate']
