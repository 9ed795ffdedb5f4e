/**
 * @file One micro-batch through the model: forward with every block's input parked, the loss over the vocabulary a few hundred
 * positions at a time, and backward with one block recomputed after the other. Memory is one block's, whatever the depth.
 */
import type { Tensor } from '../../../../kernels/kernels.ts'
import type { Park } from '../../calibrate/runner.ts'
import type { LogitTerm, Objective } from '../objectives/objective.ts'
import type { Targets } from '../targets/targets.ts'
import type { Batch, TrainingWindow } from '../window.ts'
import { termsOf } from './loss-graph.ts'
import { gatherRows, judgedPlaces, scatterRows, termFeeds, type RowSource, type Totals } from './loss-rows.ts'
import type { TrainingProgram } from './program.ts'
import { stateError } from './state-error.ts'

export interface Pass {
  readonly program: TrainingProgram
  readonly objective: Objective
  readonly batch: Batch
  /** The windows the batch is made of. */
  readonly windows: readonly TrainingWindow[]
  readonly targets: Targets | null
  /** Over which the terms are means. */
  readonly totals: Totals
}

export type TermName = LogitTerm | 'state'

export interface Losses {
  /** The objective: the weighted sum of the terms. */
  readonly loss: number
  readonly terms: Readonly<Partial<Record<TermName, number>>>
}

/** Logits of one chunk of positions. About eight arrays of this size exist at once. */
export const LOGIT_BYTES = 4 << 20
/** Fewer rows than this make products over the vocabulary slow. */
export const ROWS_MIN = 32

/** Unweighted error of a block's output over the windows of the batch; adds its gradient where one is given. */
async function errorOfState({ program, objective, batch, windows, targets, totals }: Pass, block: number, output: Float32Array, gradient: Float32Array | null): Promise<number> {
  const { hidden, blocks } = program.state.base.model.spec
  const weight = objective.state(block, blocks)
  if (weight === 0) return 0
  const options = { weight, relative: objective.relative, total: objective.relative ? totals.windows : totals.real * hidden }
  let sum = 0
  for (const [at, window] of windows.entries()) {
    const first = at * batch.time * hidden
    const last = first + window.tokens.length * hidden
    const target = await targets?.state(window, block)
    if (target === undefined) throw new Error('an objective with a teacher, and no targets')
    sum += stateError(output.subarray(first, last), target, options, gradient?.subarray(first, last) ?? null)
  }
  return sum
}

/** Adds the terms at the logits to `terms`; the gradient of the last block's output, or null where the objective has no such terms. */
async function lossOfLogits(pass: Pass, output: Float32Array, backward: boolean, terms: Partial<Record<TermName, number>>): Promise<Float32Array | null> {
  const { program, objective, batch, windows, targets, totals } = pass
  const wanted = termsOf(objective)
  if (wanted.length === 0) return null
  const { spec } = program.state.base.model
  const gradient = backward ? new Float32Array(output.length) : null
  const source: RowSource = { spec, batch, windows, targets, totals }
  const judged = judgedPlaces(batch)
  const step = Math.max(ROWS_MIN, Math.floor(LOGIT_BYTES / 4 / spec.vocabulary))
  for (const [name] of wanted) terms[name] = 0
  for (let first = 0; first < judged.length; first += step) {
    const places = judged.subarray(first, first + step)
    const feeds: Record<string, Tensor> = {}
    for (const [name] of wanted) Object.assign(feeds, await termFeeds[name](source, places))
    const result = await program.loss({ hidden: gatherRows(output, places, spec.hidden), feeds }, backward)
    for (const [name] of wanted) terms[name] = (terms[name] ?? 0) + (result.terms[name] ?? NaN)
    if (gradient !== null && result.gradient !== null) scatterRows(result.gradient, places, spec.hidden, gradient)
  }
  return gradient
}

function lossesOf(pass: Pass, terms: Partial<Record<TermName, number>>, states: number): Losses {
  const logits = termsOf(pass.objective).reduce((sum, [name, weight]) => sum + weight * (terms[name] ?? NaN), 0)
  return { loss: logits + states, terms: states === 0 ? terms : { ...terms, state: states } }
}

interface Forward {
  /** Output of the last block. */
  readonly hidden: Float32Array
  /** Weighted errors of the blocks' outputs. */
  readonly states: number
}

/** Runs the blocks; `park` receives the inputs of those from `lowest` on. */
async function runForward(pass: Pass, park: Park | null, lowest: number): Promise<Forward> {
  const { program, objective, batch } = pass
  const { blocks } = program.state.base.model.spec
  let hidden = await program.embed(batch)
  let states = 0
  for (let block = 0; block < blocks; block++) {
    if (block >= lowest) await park?.set(block, hidden)
    hidden = await program.forward(block, hidden, batch)
    states += objective.state(block, blocks) * (await errorOfState(pass, block, hidden, null))
  }
  return { hidden, states }
}

/** The losses of a micro-batch, without gradients. */
export async function evaluatePass(pass: Pass): Promise<Losses> {
  const terms: Partial<Record<TermName, number>> = {}
  const { hidden, states } = await runForward(pass, null, 0)
  await lossOfLogits(pass, hidden, false, terms)
  return lossesOf(pass, terms, states)
}

/** The losses of a micro-batch; gradients are added to those of the trainables. `park` holds one state a block. */
export async function trainPass(pass: Pass, park: Park): Promise<Losses> {
  const { program, batch } = pass
  const { state: { base, trainables } } = program
  const { blocks } = base.model.spec
  const lowest = Math.min(...trainables.map(({ block }) => block ?? blocks))
  const terms: Partial<Record<TermName, number>> = {}
  const { hidden, states } = await runForward(pass, park, lowest)
  let gradient = (await lossOfLogits(pass, hidden, true, terms)) ?? new Float32Array(hidden.length)
  let output = hidden
  for (let block = blocks - 1; block >= lowest; block--) {
    await errorOfState(pass, block, output, gradient)
    output = await park.get(block)
    gradient = await program.backward(block, output, gradient, batch)
  }
  return lossesOf(pass, terms, states)
}
