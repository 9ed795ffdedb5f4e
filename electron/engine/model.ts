/** @file What the rest of the engine sees of a model: its layers (quantizable weights) and how to read them. */
import type { Checkpoint } from './io/checkpoint.ts'

/** The parts of a decoder block that can be quantized, in the order of computation. */
export const blockLayers = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const
export type BlockLayer = (typeof blockLayers)[number]

/** One quantizable weight. Everything later speaks of layers, whatever the model was. */
export interface Layer {
  /** `blocks.3.q`, `embedding`, `head` for decoders; the initializer's name for ONNX graphs. */
  readonly name: string
  readonly kind: 'matmul' | 'conv' | 'embedding'
  /** [out, in] */
  readonly shape: readonly [number, number]
  readonly block: number | null
  /** Layers with the same tie get the same option. */
  readonly ties: string | null
  /** Where the layer's inputs are observed: layers that read the same activation share statistics. */
  readonly input: string | null
}

/** A model whose layers can be read one by one as dense float32 [out, in]. */
export interface LayeredModel {
  readonly path: string
  readonly checkpoint: Checkpoint
  readonly layers: readonly Layer[]
  /** Weights in all tensors of the file, layers or not. */
  readonly elements: number
  readonly readWeight: (layer: string) => Promise<Float32Array>
}
