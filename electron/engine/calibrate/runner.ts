/**
 * @file How calibration, measuring and quantizing see a decoder that runs block by block: weights come with every call, so one
 * block's weights are all that need be resident, and quantized ones can be put in their place.
 */
import type { BlockLayer } from '../model.ts'

/** Where the inputs of linear layers are observed. Layers that read the same activation share a tap. */
export const taps = ['qkv', 'o', 'mlp', 'down'] as const
export type Tap = (typeof taps)[number]

/** The layers that read a tap, in the order of quantization. */
export const layersOfTap: Readonly<Record<Tap, readonly BlockLayer[]>> = { qkv: ['q', 'k', 'v'], o: ['o'], mlp: ['gate', 'up'], down: ['down'] }

/** Dense weights of one block's layers, by BlockLayer; each [out, in]. */
export type BlockWeights = Readonly<Partial<Record<BlockLayer, Float32Array>>>

export interface BlockRunner {
  readonly blocks: number
  readonly hidden: number
  readonly vocabulary: number
  /** The head's weight is the embedding. */
  readonly isTied?: boolean
  /** Dense weights of a block's layers, from the checkpoint: new arrays, which the caller may release. */
  weights(block: number): Promise<BlockWeights>
  /** Hidden states [tokens, hidden] of a window; `table` stands in for the checkpoint's embedding. */
  embed(window: Int32Array, table?: Float32Array): Promise<Float32Array>
  /** Hidden states after a block. */
  run(block: number, hidden: Float32Array, weights: BlockWeights): Promise<Float32Array>
  /** As `run`, and the inputs of every linear layer, [tokens, in] each. */
  runTapped(block: number, hidden: Float32Array, weights: BlockWeights): Promise<{ hidden: Float32Array; taps: Readonly<Record<Tap, Float32Array>> }>
  /** The inputs of one tap's layers, [tokens, in]; what comes after it in the block is not computed. */
  tap(block: number, hidden: Float32Array, weights: BlockWeights, tap: Tap): Promise<Float32Array>
  /** The final norm: what the head reads, [tokens, hidden]. */
  finish(hidden: Float32Array): Promise<Float32Array>
  /**
   * Logits [tokens, vocabulary] of finished hidden states; `head` stands in for the checkpoint's [vocabulary, hidden]. They are written
   * into `place`, if they fit it: new arrays of megabytes at every call keep the garbage collector busy.
   */
  logits(finished: Float32Array, head?: Float32Array, place?: Float32Array): Promise<Float32Array>
}

/** Hidden states of many windows, kept in memory or on disk. */
export interface Park {
  get(window: number): Promise<Float32Array>
  set(window: number, hidden: Float32Array): Promise<void>
  dispose(): Promise<void>
}
