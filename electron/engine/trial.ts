/**
 * @file Tries a plan for real: quantizes and corrects in a folder that is thrown away, writes the file, opens it again and evaluates it on
 * held-out windows. What plans to a quality, and allocators that compare candidates, rest on.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import type { Context } from '../contract/events.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { Evaluation } from '../contract/report.ts'
import { openJob } from './job/job.ts'
import { calibrationOf, correctJob, evaluateExport, evaluationWindows, exportJob, quantizeJob } from './run.ts'
import type { DecoderModel } from './session/model.ts'

export interface Trials {
  /** Evaluates a recipe; equal choices are tried once. */
  evaluate(recipe: Recipe): Promise<Evaluation>
  /** Recipes tried so far. */
  count(): number
}

/** Trials that `carryOut` makes in a folder of their own, which is gone afterwards. */
export function createTrials(carryOut: (recipe: Recipe, folder: string) => Promise<Evaluation>, context: Context): Trials {
  const known = new Map<string, Evaluation>()
  async function evaluate(tried: Recipe): Promise<Evaluation> {
    const key = JSON.stringify(tried.choice.map(({ option, rank }) => [option, rank]))
    const before = known.get(key)
    if (before) return before
    const folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-trial-'))
    try {
      const evaluation = await carryOut(tried, folder)
      known.set(key, evaluation)
      context.report({ type: 'log', level: 'info', text: `tried ${evaluation.sizeBytes} bytes: ${numbersOf(evaluation).join(', ')}` })
      return evaluation
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return { evaluate, count: () => known.size }
}

/** What an evaluation found, in words. */
function numbersOf({ klMean, perplexity, sameTop, outputs = [] }: Evaluation): string[] {
  return [
    ...(klMean === undefined ? [] : [`mean KL ${klMean.toPrecision(3)}`]),
    ...(perplexity === undefined ? [] : [`perplexity ${perplexity.toFixed(3)}`]),
    ...(sameTop === undefined ? [] : [`same most likely ${outputs.length > 0 ? 'class' : 'token'} ${(sameTop * 100).toFixed(2)} %`]),
    ...outputs.map(({ name, sqnr }) => `${name} ${sqnr.toFixed(2)} dB`),
  ]
}

/** Trials of recipes of one model and data, which `recipe` names. `text` as for a run. */
export async function openTrials(model: DecoderModel, recipe: Recipe, text: string | undefined, context: Context): Promise<Trials> {
  const calibration = await calibrationOf(model, recipe, context)
  const windows = await evaluationWindows(calibration.tokenizer, { recipe, text }, context)
  return createTrials(async (tried, folder) => {
    const job = await openJob(path.join(folder, 'job'), tried, false, context)
    await quantizeJob(job, model, calibration)
    const exported = await exportJob(job, model, calibration.tokenizer, await correctJob(job, model, calibration.tokenizer), folder)
    const evaluation = await evaluateExport(model, exported, windows, tried, context)
    await job.flush()
    return evaluation
  }, context)
}
