/**
 * @file What is kept of a layer's inputs x [tokens, in]: the layer Hessian H = XᵀX (double, summed over chunks, so memory does
 * not grow with the data), mean and maximum of |x|, and how many values were not finite.
 */
import { kernels } from '../../../kernels/kernels.ts'

export interface Statistics {
  readonly cols: number
  /** H = XᵀX, [cols, cols]. */
  readonly hessian: Float64Array
  readonly absolute: Float64Array
  readonly maximum: Float32Array
  tokens: number
  /** Values of x that were NaN or infinite; their rows are left out of H. */
  notFinite: number
}

/** Statistics of no inputs yet. */
export function emptyStatistics(cols: number): Statistics {
  return { cols, hessian: new Float64Array(cols * cols), absolute: new Float64Array(cols), maximum: new Float32Array(cols), tokens: 0, notFinite: 0 }
}

/** Adds inputs x [tokens, cols]. */
export async function addInputs(statistics: Statistics, x: Float32Array): Promise<void> {
  const tokens = x.length / statistics.cols
  statistics.notFinite += await kernels().accumulate(x, tokens, statistics.cols, statistics.hessian, statistics.absolute, statistics.maximum)
  statistics.tokens += tokens
}

/** E[x_j²], [cols]: the diagonal of H per token; what llama.cpp calls the importance matrix. */
export function importanceOf({ hessian, cols, tokens }: Statistics): Float32Array {
  return Float32Array.from({ length: cols }, (_, j) => (hessian[j * cols + j] ?? 0) / Math.max(tokens, 1))
}

/** Share of input columns that were ever non-zero. */
export function coverage({ maximum }: Statistics): number {
  return maximum.reduce((count, value) => count + (value > 0 ? 1 : 0), 0) / maximum.length
}

/** What a person should know of the inputs of `where`: values that were not finite, columns that nothing ever reached. */
export function statisticsProblems(statistics: Statistics, where: string): string[] {
  const { notFinite, tokens, cols } = statistics
  const reached = coverage(statistics)
  return [
    ...(notFinite > 0 ? [`${where}: ${notFinite} input values of ${tokens} tokens are NaN or infinite; those tokens are left out`] : []),
    ...(reached < 1 ? [`${where}: ${Math.round((1 - reached) * cols)} of ${cols} input columns are zero on all of the data; nothing is known of them`] : []),
  ]
}
