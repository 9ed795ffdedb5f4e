/** @file Gradients of one step: its windows in micro-batches, losses and gradients checked before anything is changed by them. */
import type { Park } from '../calibrate/runner.ts'
import type { Objective } from './objectives/objective.ts'
import { gradientNorm } from './optimizer/optimizer.ts'
import { totalsOf } from './program/loss-rows.ts'
import { evaluatePass, trainPass, type Losses, type TermName } from './program/pass.ts'
import type { TrainingProgram } from './program/program.ts'
import type { Targets } from './targets/targets.ts'
import { batchOf, inGroups, type TrainingWindow } from './window.ts'

export interface StepTask {
  readonly program: TrainingProgram
  readonly objective: Objective
  readonly targets: Targets | null
  readonly windows: readonly TrainingWindow[]
  /** Windows that go through the model side by side. */
  readonly microBatch: number
}

export interface UsableStep {
  readonly isUsable: true
  readonly losses: Losses
  readonly norm: number
  /** Positions with a label. */
  readonly labels: number
}

export type StepOutcome =
  | UsableStep
  /** A loss or gradient that is not a number, and the windows it comes from. */
  | { readonly isUsable: false; readonly reason: string; readonly windows: readonly number[] }

function added(a: Losses, b: Losses): Losses {
  const terms: Partial<Record<TermName, number>> = { ...a.terms }
  for (const name of ['ce', 'kl', 'kl-top', 'state'] as const) if (b.terms[name] !== undefined) terms[name] = (terms[name] ?? 0) + b.terms[name]
  return { loss: a.loss + b.loss, terms }
}

const nothing: Losses = { loss: 0, terms: {} }

/** Puts the gradients of the windows `chosen` (by number) into the trainables, in place of those of the step before. */
export async function gradientsOfStep({ program, objective, targets, windows, microBatch }: StepTask, chosen: readonly number[], park: Park): Promise<StepOutcome> {
  const { trainables } = program.state
  for (const { gradient } of trainables) gradient.fill(0)
  const groups = inGroups(chosen, microBatch).map((numbers) => {
    const own = numbers.map((number) => windows[number])
    return { numbers, windows: own, batch: batchOf(own) }
  })
  const totals = totalsOf(groups.map(({ batch }) => batch))
  let losses = nothing
  for (const group of groups) {
    const own = await trainPass({ program, objective, batch: group.batch, windows: group.windows, targets, totals }, park)
    if (!Number.isFinite(own.loss)) return { isUsable: false, reason: `loss ${own.loss}`, windows: group.numbers }
    losses = added(losses, own)
  }
  const norm = gradientNorm(trainables)
  return Number.isFinite(norm) ? { isUsable: true, losses, norm, labels: totals.labels } : { isUsable: false, reason: `gradient norm ${norm}`, windows: chosen }
}

/** The losses over all windows, as means over their tokens. */
export async function meanLosses({ program, objective, targets, windows, microBatch }: StepTask): Promise<Losses> {
  const groups = inGroups(windows, microBatch)
  const batches = groups.map((group) => batchOf(group))
  const totals = totalsOf(batches)
  let losses = nothing
  for (const [at, batch] of batches.entries()) losses = added(losses, await evaluatePass({ program, objective, batch, windows: groups[at], targets, totals }))
  return losses
}
