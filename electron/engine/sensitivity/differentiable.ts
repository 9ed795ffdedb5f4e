/**
 * @file A model whose loss can be differentiated with respect to its layers, whatever it was read from: a chain of stages with
 * samples, and for every layer the places where its weight enters. Gradient metrics know nothing else of a model.
 */
import type { SessionOptions } from '../../../kernels/kernels.ts'
import type { ValuePark } from '../autodiff/park.ts'
import type { Stage } from '../autodiff/stage.ts'
import type { Sample } from '../autodiff/stream.ts'

/**
 * Where a layer's weight enters: an input of a stage, which the stage lists in `wrt`. 'in-out' where the graph holds it [in, out]
 * (MatMul), 'out-in' where its leading axis is the output (Gemm with transB, Conv, a table of rows).
 */
export interface Place {
  readonly stage: string
  readonly input: string
  readonly layout: 'out-in' | 'in-out'
  /** Its shape in the graph: [out, in], [in, out], or [out, in, height, width] of a convolution. */
  readonly dims: readonly number[]
}

export interface PlacedLayer {
  readonly name: string
  /** [out, in] */
  readonly shape: readonly [number, number]
  /** Several where the weight is tied: gradients of all places add up. */
  readonly places: readonly Place[]
}

export interface DifferentiableModel {
  /** In the order of computation. The weights in their `wrt` are those of the layers and nothing else. */
  readonly stages: readonly Stage[]
  /** The value that is differentiated: a scalar for every sample, the mean over its predictions. */
  readonly loss: string
  /** Said in the output, such as "cross-entropy of the next token". */
  readonly lossText: string
  /** Predictions a sample's loss is the mean of: tokens of a window, images of a batch. */
  readonly predictions: number
  readonly samples: readonly Sample[]
  readonly layers: readonly PlacedLayer[]
  /** A fresh place for activations of the samples. */
  readonly park: () => ValuePark
  readonly session?: SessionOptions
}

/** What a layer's options do to its weight. */
export interface LayerErrors {
  readonly options: readonly string[]
  /** Δ = W − Ŵ of an option, [out, in]. Asked for again with every sample; the values are only read until the next call. */
  error(option: string): Promise<Float32Array>
}

/** Loss of an option, in the metric's own unit, with its standard error over samples or probes. */
export interface OptionLoss {
  readonly value: number
  readonly stderr: number
}
