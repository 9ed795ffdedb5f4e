/** @file Solves plans for the window. The last answers are kept: the review and the start of a run ask for what is on the screen. */
import type { OpenProject } from '../contract/api.ts'
import type { Plan } from '../contract/engine.ts'
import { AppError } from '../contract/errors.ts'
import type { Draft } from '../contract/project.ts'
import type { Sensitivity } from '../contract/sensitivity.ts'
import type { EngineHost } from './engine-host.ts'

/** Undo and redo go back and forth between a few drafts. */
const mostKept = 16

/** Solves the draft, or, for a format's name, a plan that gives every layer this format. */
export type Solve = (open: OpenProject, draft: Draft, uniform?: string | null) => Promise<Plan>

export function createSolver(engine: Pick<EngineHost, 'call'>): Solve {
  const kept = new Map<string, Promise<Plan>>()
  let of: Sensitivity | null = null

  return (open, draft, uniform = null) => {
    const measured = open.sensitivity
    if (!measured) return Promise.reject(new AppError('bad-request', 'nothing has been measured yet', { hint: 'Run the Sensitivity step first.' }))
    if (of !== measured) kept.clear()
    of = measured
    const key = JSON.stringify([open.project.model, uniform, draft])
    const plan = kept.get(key) ?? engine.call('plan', {
      model: open.project.model, measured, target: draft.target, correction: uniform === null ? draft.correction : 'none', budget: uniform === null ? draft.budget : { kind: 'ratio', value: 1 },
      pins: uniform === null ? draft.pins : Object.fromEntries(measured.layers.filter((layer) => Object.hasOwn(layer.options, uniform)).map((layer) => [layer.name, uniform])),
    })
    kept.delete(key)
    kept.set(key, plan)
    plan.catch(() => kept.delete(key)) // the caller has the rejection
    for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - mostKept))) kept.delete(old)
    return plan
  }
}
