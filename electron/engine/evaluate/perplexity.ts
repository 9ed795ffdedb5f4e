/**
 * @file Perplexity exp(mean −log p(next token)) over the second halves of windows, as llama-perplexity takes it, and against a
 * reference model the divergence KL(reference ‖ model) of every scored position. Logits of both models are made chunk by
 * chunk and reduced at once; neither model's are ever stored whole.
 */
import { kernels } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import type { Context } from '../../contract/events.ts'
import type { TextEvaluation } from '../../contract/report.ts'
import { beginStage } from '../job/progress.ts'
import type { Evaluable, Prepared } from './evaluable.ts'

export interface EvaluateTask {
  readonly model: Evaluable
  readonly reference?: Evaluable
  readonly windows: readonly Int32Array[]
  /** First position of a window that is scored; half of it unless told. */
  readonly from?: number
}

/** Logits of one model held at once. */
export const LOGIT_BYTES = 32 << 20

/** Figures of every scored position, in order. */
export interface Scores {
  readonly nll: Float64Array
  /** Of the reference; empty without one. */
  readonly nllReference: Float64Array
  readonly kl: Float64Array
  readonly same: Uint8Array
}

function check({ model, reference, windows }: EvaluateTask): number {
  const length = Math.max(...windows.map((window) => window.length))
  for (const one of [model, reference]) {
    if (one?.contextLength !== undefined && one.contextLength !== null && length > one.contextLength) {
      throw new AppError('bad-data', `${one.path}: found windows of ${length} tokens, expected at most ${one.contextLength}`, { hint: 'Use shorter windows (--length).' })
    }
  }
  if (reference && reference.vocabulary !== model.vocabulary) {
    throw new AppError('bad-data', `${model.path}: found a vocabulary of ${model.vocabulary} tokens, expected the reference's ${reference.vocabulary}`, { hint: 'A model can only be compared with the one it was made from.' })
  }
  return length
}

/** Scores positions `from` … of every window: position p predicts token p + 1. */
export async function score(task: EvaluateTask, context: Context): Promise<Scores> {
  const { model, reference, windows } = task
  const from = task.from ?? Math.floor(check(task) / 2)
  const positions = windows.map((window) => Math.max(0, window.length - 1 - from))
  const total = positions.reduce((sum, count) => sum + count, 0)
  if (total === 0) throw new AppError('bad-data', `found windows of ${windows[0]?.length ?? 0} tokens, expected more than ${from + 1}: nothing is scored`, { hint: 'Use longer windows (--length).' })
  const runs = [model, ...(reference ? [reference] : [])]
  const progress = beginStage(context, 'evaluate', windows.length * (runs.reduce((sum, run) => sum + run.steps, 0) + 1))
  const prepared: Prepared[] = []
  const scores: Scores = {
    nll: new Float64Array(total),
    nllReference: new Float64Array(reference ? total : 0),
    kl: new Float64Array(reference ? total : 0),
    same: new Uint8Array(reference ? total : 0),
  }
  try {
    for (const run of runs) prepared.push(await run.prepare(windows, from, () => progress.advance(run.path), context))
    const [own, teacher] = prepared
    const rows = Math.max(1, Math.floor(LOGIT_BYTES / 4 / model.vocabulary))
    let done = 0
    for (const [index, window] of windows.entries()) {
      for (let first = from; first < window.length - 1; first += rows) {
        context.signal.throwIfAborted()
        const last = Math.min(window.length - 1, first + rows)
        const logits = (await own?.logits(index, first, last)) ?? new Float32Array()
        const expected = (await teacher?.logits(index, first, last)) ?? null
        await scoreRows(scores, done, window.subarray(first + 1, last + 1), logits, expected)
        done += last - first
      }
      progress.advance(model.path)
    }
  } finally {
    for (const one of prepared) await one.dispose()
  }
  return scores
}

async function scoreRows({ nll, nllReference, kl, same }: Scores, at: number, labels: Int32Array, logits: Float32Array, reference: Float32Array | null): Promise<void> {
  const rows = labels.length
  const vocabulary = logits.length / rows
  const unused = { kl: new Float64Array(rows), same: new Uint8Array(rows) }
  const found = reference ? { kl: kl.subarray(at, at + rows), same: same.subarray(at, at + rows) } : unused
  await kernels().score(logits, reference, labels, rows, vocabulary, nll.subarray(at, at + rows), found.kl, found.same)
  if (reference) await kernels().score(reference, null, labels, rows, vocabulary, nllReference.subarray(at, at + rows), unused.kl, unused.same)
}

/** Mean of values and the standard error of it. */
export function meanAndError(values: Float64Array): { mean: number; stderr: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, values.length - 1)
  return { mean, stderr: Math.sqrt(variance / values.length) }
}

/** The value below which `share` of them lie, interpolated between neighbours. */
export function quantile(values: Float64Array, share: number): number {
  const sorted = values.toSorted()
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const low = sorted[below] ?? NaN
  return low + ((sorted[below + 1] ?? low) - low) * (place - below)
}

/** Evaluates a model on windows of a text. The error of the perplexity is that of the mean log-likelihood, times it. */
export async function evaluate(task: EvaluateTask, context: Context): Promise<TextEvaluation> {
  const { model, reference } = task
  const { nll, nllReference, kl, same } = await score(task, context)
  const own = meanAndError(nll)
  if (Number.isNaN(own.mean)) throw new AppError('bad-weights', `${model.path}: found logits that are not numbers, expected finite ones`, { hint: 'Its weights or scales are damaged or overflow: make or download the file again.' })
  const perplexity = Math.exp(own.mean)
  const divergence = meanAndError(kl)
  return {
    sizeBytes: model.sizeBytes,
    bitsPerWeight: (model.sizeBytes * 8) / model.elements,
    ...(model.layers && { bitsPerWeightLayers: (model.layers.bytes * 8) / model.layers.elements }),
    perplexity,
    perplexityStderr: own.stderr * perplexity,
    ...(reference && {
      perplexityReference: Math.exp(meanAndError(nllReference).mean),
      klMean: divergence.mean,
      klStderr: divergence.stderr,
      klMedian: quantile(kl, 0.5),
      kl99: quantile(kl, 0.99),
      sameTop: same.reduce((sum, one) => sum + one, 0) / same.length,
    }),
    tokens: nll.length,
  }
}
