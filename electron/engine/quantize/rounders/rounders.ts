/** @file The table of rounders. */
import { rounders as names, type Recipe } from '../../../contract/recipe.ts'
import { gptq, gptqSwept } from './gptq.ts'
import { nearest } from './nearest.ts'
import { search } from './search.ts'
import type { Rounder } from './rounder.ts'

export const rounders = { nearest, search, gptq, guided: gptq } satisfies Record<Recipe['rounder'], Rounder>

/** The same as a run uses them: what is rounded once may take longer. It lowers the losses of all options alike, so that plans need not know of it. */
export const runRounders = { ...rounders, gptq: gptqSwept, guided: gptqSwept } satisfies typeof rounders

/** The rounder that a map was measured with. */
export const rounderNamed = (name: string): Recipe['rounder'] => names.find((one) => one === name) ?? 'gptq'

/** Whether errors are fed back over the inverse Hessian. */
export const feedsBack = (rounder: Recipe['rounder']): boolean => rounders[rounder] === gptq

/** Whether the statistics of inputs weigh tokens by the loss's gradients (calibrate/guidance.ts). */
export const isGuided = (rounder: Recipe['rounder']): boolean => rounder === 'guided'
