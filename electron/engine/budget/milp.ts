/**
 * @file Allocation as a 0-1 programme under several limits at once (bytes, BOPs, milliseconds; HAWQ-V3, Yao et al. 2020):
 *   min Σ loss·x   s.t.  Σ_o x[g,o] = 1 for each group g,   Σ cost_k·x <= limit_k for each constraint k.
 * Solved to proved optimality by HiGHS in WebAssembly, on a worker thread so that the event loop turns meanwhile.
 */
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { AppError } from '../../contract/errors.ts'
import { optionAt, tolerance, totals, type Allocation, type Group } from './allocation.ts'
import { allocateGreedy } from './greedy.ts'

export interface Constraint {
  readonly name: string
  readonly limit: number
  /** Cost of each option of each group. */
  readonly costs: readonly (readonly number[])[]
}

/** The groups' own cost as a constraint. */
export function costConstraint(groups: readonly Group[], limit: number): Constraint {
  return { name: 'cost', limit, costs: groups.map(({ options }) => options.map(({ cost }) => cost)) }
}

const timeLimitSeconds = 60 // where HiGHS has not proved the optimum by then, its best choice is taken
const maxTightenings = 4 // HiGHS meets a row to about 1e-6 of its scale; a row that is overstepped is tightened by as much

/** The choice of least loss that meets every constraint; null where none does. */
export async function allocateMilp(groups: readonly Group[], constraints: readonly Constraint[], { signal }: { signal?: AbortSignal } = {}): Promise<Allocation | null> {
  if (groups.length === 0) return { choice: [], cost: 0, loss: 0, lowerBound: 0 }
  const limits = constraints.map(({ limit }) => limit)
  for (let attempt = 0; attempt < maxTightenings; attempt++) {
    const solved = await runHighs(programme(groups, constraints, limits), signal)
    if (solved === null) return null
    const choice = groups.map((group, at) => group.options.findIndex((_, index) => solved.chosen.has(`x${at}_${index}`)))
    const excess = constraints.map((constraint) => sum(constraint, choice) - constraint.limit)
    if (excess.every((over, k) => over <= tolerance(constraints[k].limit))) {
      const total = totals(groups, choice)
      return { choice, ...total, lowerBound: solved.isOptimal ? total.loss : 0 }
    }
    excess.forEach((over, k) => (limits[k] -= Math.max(0, 2 * over)))
  }
  return null
}

function sum({ costs }: Constraint, choice: readonly number[]): number {
  return choice.reduce((total, option, at) => total + costs[at][option], 0)
}

/** CPLEX LP text. Losses are scaled to the size of the answer and rows to their limits, for the solver's tolerances. */
function programme(groups: readonly Group[], constraints: readonly Constraint[], limits: readonly number[]): string {
  const variables = groups.map((group, at) => group.options.map((_, index) => `x${at}_${index}`))
  const line = (coefficient: (at: number, index: number) => number): string =>
    variables.flatMap((names, at) => names.map((name, index) => signed(coefficient(at, index), name))).join('\n')
  const scale = 1 / expectedLoss(groups, constraints)
  return [
    'Minimize', `loss: ${line((at, index) => optionAt(groups[at], index).loss * scale)}`,
    'Subject To',
    ...variables.map((names, at) => `g${at}: ${names.join(' + ')} = 1`),
    ...constraints.map(({ costs, limit }, k) => `c${k}: ${line((at, index) => costs[at][index] / (limit || 1))}\n<= ${limits[k] / (limit || 1)}`),
    'Binary', variables.flat().join('\n'), 'End',
  ].join('\n')
}

function signed(value: number, name: string): string {
  return `${value < 0 ? '-' : '+'} ${Math.abs(value)} ${name}`
}

/** The largest of the greedy losses under one constraint alone: the answer under all is about that or more. */
function expectedLoss(groups: readonly Group[], constraints: readonly Constraint[]): number {
  const alone = constraints.map(({ costs, limit }) => {
    const priced = groups.map((group, at) => ({ ...group, options: group.options.map((option, index) => ({ ...option, cost: costs[at][index] })) }))
    return allocateGreedy(priced, limit)?.loss ?? 0
  })
  return Math.max(...alone) || 1
}

const Solution = z.object({ Status: z.string(), Columns: z.record(z.string(), z.object({ Primal: z.number().optional() })) })
const failures: readonly string[] = ['Load error', 'Model error', 'Presolve error', 'Solve error', 'Postsolve error', 'Not Set', 'Unknown']

/** A script, not a file: a packaged engine is one bundle. */
const workerScript = `
const { parentPort, workerData } = require('node:worker_threads')
require(workerData.solver)().then((highs) => parentPort.postMessage(highs.solve(workerData.programme, workerData.options)))
`

async function runHighs(text: string, signal?: AbortSignal): Promise<{ chosen: Set<string>; isOptimal: boolean } | null> {
  signal?.throwIfAborted()
  const solver = createRequire(import.meta.url).resolve('highs')
  const options = { mip_rel_gap: 0, mip_abs_gap: 1e-9, time_limit: timeLimitSeconds, output_flag: false }
  const worker = new Worker(workerScript, { eval: true, workerData: { solver, programme: text, options } })
  const abort = (): void => void worker.terminate()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const message = await new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', () => {
        reject(signal?.aborted === true ? new AppError('cancelled', 'Cancelled') : new Error('the solver stopped without an answer'))
      })
    })
    const { Status, Columns } = Solution.parse(message)
    if (Status === 'Infeasible') return null
    const chosen = new Set(Object.entries(Columns).filter(([, { Primal }]) => (Primal ?? 0) > 0.5).map(([name]) => name))
    if (failures.includes(Status) || chosen.size === 0) throw new AppError('internal', `HiGHS: ${Status}`, { hint: 'Choose the allocator "exact".' })
    return { chosen, isOptimal: Status === 'Optimal' }
  } finally {
    signal?.removeEventListener('abort', abort)
    await worker.terminate()
  }
}
