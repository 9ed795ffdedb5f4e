/**
 * @file How fast this machine trains this model: one block of it, forward and backward, as a step takes them. Products over packed
 * weights, attention and small layers have speeds of their own on every machine, and a run is its blocks many times over.
 */
import type { Adapter } from '../correct/adapter.ts'
import type { Base } from './base/base.ts'
import { blockOperations, FORWARDS } from './predict.ts'
import { openTrainingProgram } from './program/program.ts'
import { openState } from './trainables/state.ts'

/** Passes that are timed, of which the middle one counts: others share the machine. No more are begun after a second but for the least. */
const PASSES_LEAST = 3
const PASSES_MOST = 20
const MOST_MS = 1000

/** A program without a loss: gradients of the block's output are given. */
const objective = { logits: {}, state: () => 0, relative: false } as const

export interface SpeedTask {
  readonly adapter: Adapter
  /** Windows side by side, and tokens of each. */
  readonly microBatch: number
  readonly length: number
  readonly threads?: number | undefined
}

/** Operations a second that blocks reach in training, counted as `predictTraining` counts them. */
export async function measureSpeed(base: Base, { adapter, microBatch: count, length: time, threads }: SpeedTask, signal: AbortSignal): Promise<{ readonly flops: number }> {
  const own = new Map([...adapter].filter(([layer]) => layer.startsWith('blocks.0.')))
  const state = await openState(base, { adapter: own, sets: ['adapters'], block: 0 }, signal)
  const program = openTrainingProgram(state, { objective, teacherHead: null, threads, signal })
  const batch = { count, time, tokens: new Int32Array() }
  const hidden = Float32Array.from({ length: count * time * base.model.spec.hidden }, (_, at) => Math.sin(at))
  const pass = async (): Promise<void> => {
    await program.forward(0, hidden, batch)
    await program.backward(0, hidden, hidden, batch)
  }
  try {
    await pass() // makes the sessions
    const times: number[] = []
    const until = performance.now() + MOST_MS
    while (times.length < PASSES_LEAST || (times.length < PASSES_MOST && performance.now() < until)) {
      const begun = performance.now()
      await pass()
      times.push(performance.now() - begun)
    }
    const middle = times.sort((a, b) => a - b)[Math.floor(times.length / 2)]
    return { flops: (FORWARDS * blockOperations(base.model, time) * count * time * 1000) / middle }
  } finally {
    program.dispose()
  }
}
