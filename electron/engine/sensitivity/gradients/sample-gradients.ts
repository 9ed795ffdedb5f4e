/**
 * @file The gradient of every sample with respect to every layer, as [out, in]: the gradients of a tied layer's places added up. A few
 * samples go through the model together, so that its weights are read less often and activations of few samples wait at a time.
 */
import { createStream } from '../../autodiff/stream.ts'
import type { DifferentiableModel, PlacedLayer } from '../differentiable.ts'
import { asLayer } from './layout.ts'

/** Samples that go through together. */
export const SAMPLES_TOGETHER = 8
/** Most floats of gradients of tied layers that wait for the layer's other place. */
const HELD_FLOATS = 1 << 26

export interface SampleGradient {
  readonly layer: PlacedLayer
  /** [out, in]; overwritten after the call. */
  readonly gradient: Float32Array
  /** Which of the samples passed. */
  readonly sample: number
}

export interface Gradients {
  /** Samples worth passing at once. */
  readonly together: number
  /** Layers of the samples at these places of the model's list; the losses. */
  pass(samples: readonly number[], take: (found: SampleGradient) => Promise<void>, signal: AbortSignal): Promise<number[]>
  dispose(): void
}

/** How many samples to pass at once, so that what waits for a tied layer's other place stays small. */
export function samplesTogether({ layers }: DifferentiableModel): number {
  const tied = layers.reduce((sum, { shape: [rows, cols], places }) => sum + (places.length > 1 ? rows * cols : 0), 0)
  return Math.max(1, Math.min(SAMPLES_TOGETHER, Math.floor(HELD_FLOATS / Math.max(tied, 1))))
}

/** The layer and place of every differentiated input: stage → input → where it belongs. */
export function placesByStage({ layers }: DifferentiableModel): ReadonlyMap<string, ReadonlyMap<string, { readonly layer: PlacedLayer; readonly index: number }>> {
  const found = new Map<string, Map<string, { layer: PlacedLayer; index: number }>>()
  for (const layer of layers) for (const [index, { stage, input }] of layer.places.entries()) {
    const inputs = found.get(stage) ?? new Map<string, { layer: PlacedLayer; index: number }>()
    found.set(stage, inputs.set(input, { layer, index }))
  }
  return found
}

export function openGradients(model: DifferentiableModel): Gradients {
  const stream = createStream(model.stages, { loss: model.loss, park: model.park, ...(model.session && { session: model.session }) })
  const places = placesByStage(model)
  return {
    together: samplesTogether(model),
    pass(samples, take, signal) {
      const waiting = new Map<string, { sum: Float32Array; left: number }>()
      return stream.gradient(samples.map((index) => model.samples[index]), {
        signal,
        async take({ stage, sample, gradients }) {
          for (const [input, { layer, index }] of places.get(stage.name) ?? []) {
            const { data } = gradients[input]
            if (!(data instanceof Float32Array)) throw new Error(`the gradient of ${stage.name}/${input} is not float32`)
            let gradient = asLayer(data, layer.places[index], layer)
            if (layer.places.length > 1) {
              const key = `${sample}/${layer.name}`
              const held = waiting.get(key)
              if (held === undefined) {
                waiting.set(key, { sum: gradient.slice(), left: layer.places.length - 1 })
                continue
              }
              for (let at = 0; at < gradient.length; at++) held.sum[at] += gradient[at]
              if (--held.left > 0) continue
              gradient = held.sum
              waiting.delete(key)
            }
            await take({ layer, gradient, sample: samples[sample] })
          }
        },
      })
    },
    dispose: () => stream.dispose(),
  }
}
