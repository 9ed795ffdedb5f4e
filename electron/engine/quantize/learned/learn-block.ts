/**
 * @file Learned rounding of one block of a job: its rounded layers as a program, the original block's outputs as targets, and the bytes
 * that come of it. What is learned is kept only where the error over all its windows fell.
 */
import { openTrainingProgram } from '../../train/program/program.ts'
import { stateError } from '../../train/program/state-error.ts'
import { openState, refreshState } from '../../train/trainables/state.ts'
import { weightsOf } from '../../train/trained.ts'
import type { Base } from '../../train/base/base.ts'
import type { Adapter } from '../../correct/adapter.ts'
import type { Park } from '../../calibrate/runner.ts'
import type { LearnedRounding } from './learner.ts'

export interface LearnTask {
  readonly base: Base
  readonly block: number
  /** Corrections of the block's layers, which stay as they are. */
  readonly adapter: Adapter
  /** Weights of a layer before rounding. */
  readonly source: (layer: string) => Promise<Float32Array>
  /** Inputs of the quantized block by window, and outputs of the original one for the original's inputs. */
  readonly inputs: Park
  readonly targets: Park
  readonly windows: number
  readonly learn: LearnedRounding
  readonly seed: number
  readonly threads?: number | undefined
  readonly signal: AbortSignal
}

export interface Learned {
  /** Bytes of the layers that changed, by name. */
  readonly blobs: ReadonlyMap<string, Uint8Array>
  /** Relative squared error of the block's output, before and after. */
  readonly before: number
  readonly after: number
}

/** The program of a block, whose training has no loss at the logits. */
const objective = { logits: {}, state: () => 0, relative: false } as const

export async function learnBlock({ base, block, adapter, source, inputs, targets, windows, learn, seed, threads, signal }: LearnTask): Promise<Learned> {
  const { hidden } = base.model.spec
  const state = await openState(base, { adapter, sets: ['scales', 'codes'], source, block }, signal)
  if (state.codes.size === 0) return { blobs: new Map(), before: 0, after: 0 }
  const program = openTrainingProgram(state, { objective, teacherHead: null, threads, signal })
  const start = state.trainables.map(({ values }) => values.slice())

  async function errorOf(numbers: readonly number[], backward: boolean): Promise<number> {
    if (backward) for (const { gradient } of state.trainables) gradient.fill(0)
    await refreshState(state)
    let error = 0
    for (const number of numbers) {
      const input = await inputs.get(number)
      const batch = { count: 1, time: input.length / hidden, tokens: new Int32Array() }
      const output = await program.forward(block, input, batch)
      const gradient = backward ? new Float32Array(output.length) : null
      error += stateError(output, await targets.get(number), { weight: 1, relative: true, total: numbers.length }, gradient)
      if (gradient !== null) await program.backward(block, input, gradient, batch)
    }
    return error
  }

  const all = Array.from({ length: windows }, (_, at) => at)
  try {
    const before = await errorOf(all, false)
    await learn({ codes: [...state.codes.values()], scales: [...state.scales.values()], windows, seed, loss: (numbers) => errorOf(numbers, false), gradients: (numbers) => errorOf(numbers, true) })
    const after = await errorOf(all, false)
    if (!(after < before)) {
      for (const [at, { values }] of state.trainables.entries()) values.set(start[at])
      return { blobs: new Map(), before, after: before }
    }
    return { blobs: (await weightsOf(state)).blobs, before, after }
  } finally {
    program.dispose()
  }
}
