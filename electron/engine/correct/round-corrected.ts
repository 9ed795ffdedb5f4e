/**
 * @file One layer rounded and corrected: Ŵ, and the branch fitted to what rounding left. With alternation W − BA is rounded again
 * and BA fitted again; the best pair is kept, not the last, which is the one that got worse.
 */
import { kernels, type Shape } from '../../../kernels/kernels.ts'
import { AppError } from '../../contract/errors.ts'
import type { CodecName, Target } from '../../contract/options.ts'
import type { Rounder, RoundingStatistics } from '../quantize/rounders/rounder.ts'
import type { LayerAdapter } from './adapter.ts'
import type { AdapterStorage } from './adapter-storage.ts'
import type { Correction } from './corrections.ts'
import { branchOf, fitLowRank } from './fit.ts'
import type { CorrectionInputs } from './inputs.ts'
import { mergeBranch, subtract } from './merge.ts'
import { roundBranch } from './round-branch.ts'
import { rowRoots, scaledRows } from './row-weights.ts'

export interface CorrectionTask {
  readonly correction: Correction
  readonly storage: AdapterStorage
  readonly target: Target
  /** Weights of a layer's outputs, for a correction that wants them. */
  readonly rowWeights?: ((layer: string) => Promise<Float64Array | null>) | undefined
}

export interface CorrectedLayer {
  /** In the codec's layout. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly branch: LayerAdapter
  /** Ŵ + BA, dense. */
  readonly weights: Float32Array
  /** tr(ΔHΔᵀ) per token with the branch; ‖Δ‖² where nothing is known of the inputs. */
  readonly error: number
}

interface LayerTask extends CorrectionTask {
  readonly layer: string
  readonly codec: CodecName
  readonly shape: Shape
  readonly rank: number
  readonly weights: Float32Array
  readonly rounder: Rounder
  readonly inputs: RoundingStatistics | null
  /** Of the same inputs, shared by the layers that read them. */
  readonly corrections: CorrectionInputs | null
  readonly signal: AbortSignal
}

/** A layer that was tried, with what the best of several is chosen by: its error, rows weighted where the correction weighs them. */
interface Attempt extends CorrectedLayer {
  readonly weighted: number
}

async function attempt(task: LayerTask, target: Float32Array, roots: Float32Array | null): Promise<Attempt> {
  const { layer, codec, shape, rank, weights, rounder, correction, storage } = task
  const bytes = await rounder(codec, shape, target, task.inputs)
  const rounded = new Float32Array(weights.length)
  await kernels().decode(codec, shape, bytes, rounded)
  const delta = await subtract(weights, rounded)
  const fit = await fitLowRank(roots === null ? delta : scaledRows(delta, roots), shape, correction, task.corrections, rank, task.signal)
  const fitted = branchOf(layer, fit, fit.rank)
  const branch = await roundBranch(roots === null ? fitted : { ...fitted, b: scaledRows(fitted.b, roots.map((root) => 1 / root)) }, storage, task.target)
  const merged = await mergeBranch(rounded, branch)
  const { statistics } = task.inputs ?? {}
  const errorOf = async (a: Float32Array, b: Float32Array): Promise<number> => (statistics ? (await kernels().outputError(a, b, shape, statistics.hessian)) / Math.max(statistics.tokens, 1) : kernels().weightedError(a, b, shape, null, null))
  const error = await errorOf(weights, merged)
  return { bytes, branch, weights: merged, error, weighted: roots === null ? error : await errorOf(scaledRows(weights, roots), scaledRows(merged, roots)) }
}

/**
 * Rounds and corrects a layer [out, in] at `rank`.
 * @throws AppError bad-recipe where the correction needs inputs and there are none, or the rank is above the layer's
 */
export async function roundCorrected(task: LayerTask): Promise<CorrectedLayer> {
  const { layer, shape: { rows, cols }, rank, weights, correction } = task
  if (rank > Math.min(rows, cols)) throw new AppError('bad-recipe', `layer ${layer}: found rank ${rank}, expected at most ${Math.min(rows, cols)}, the layer's own`, { hint: 'Plan again for this model.' })
  if (correction.weigh !== null && task.corrections === null) throw new AppError('bad-recipe', `layer ${layer}: this correction weighs errors by the layer's inputs, and the recipe has no calibration data`, { hint: 'Give a calibration text, or use the correction "svd".' })
  const found = correction.fisher ? await task.rowWeights?.(layer) : null
  const roots = found ? rowRoots(found) : null
  let best = await attempt(task, weights, roots)
  for (let round = 0; round < correction.alternations; round++) {
    task.signal.throwIfAborted()
    const next = await attempt(task, await mergeBranch(weights, best.branch, -1), roots)
    if (next.weighted >= best.weighted) break
    best = next
  }
  return best
}
