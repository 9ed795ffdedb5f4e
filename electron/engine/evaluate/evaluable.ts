/** @file What can be evaluated: anything that gives logits for windows of tokens, whatever its file format or runtime. */
import type { Context } from '../../contract/events.ts'

export interface Evaluable {
  readonly path: string
  readonly vocabulary: number
  /** Longest window it takes; null where nothing limits it. */
  readonly contextLength: number | null
  readonly sizeBytes: number
  /** Weights in the file, counted as the unquantized model's. */
  readonly elements: number
  /** Bytes and weights of the quantizable layers alone, where they can be told apart. */
  readonly layers: { readonly bytes: number; readonly elements: number } | null
  /** Steps of work `prepare` reports for each window. */
  readonly steps: number
  /** Does the work on all windows that logits from position `from` on need, calling `step` after each step of each window. */
  prepare(windows: readonly Int32Array[], from: number, step: () => void, context: Pick<Context, 'signal'>): Promise<Prepared>
  close(): Promise<void>
}

export interface Prepared {
  /** Logits [last − first, vocabulary] of positions first … last − 1 of a window; first is `from` or later. They hold until the next call. */
  logits(window: number, first: number, last: number): Promise<Float32Array>
  dispose(): Promise<void>
}
