/** @file The mean Hessian of a model's samples as an operator on vectors over some of its layers, [out, in] each. */
import { createSessions, createStream, type Sessions } from '../../autodiff/stream.ts'
import type { DifferentiableModel, PlacedLayer } from '../differentiable.ts'
import { asLayer, asPlace } from '../gradients/layout.ts'
import { placesByStage } from '../gradients/sample-gradients.ts'
import type { Tensor } from '../../../../kernels/kernels.ts'

/** A vector over layers, by name. */
export type Vector = ReadonlyMap<string, Float32Array>

export interface HessianOperator {
  readonly layers: readonly PlacedLayer[]
  /** H v, averaged over samples; an array the caller may keep. */
  apply(vector: Vector, signal: AbortSignal): Promise<Vector>
  dispose(): void
}

/** The Hessian with respect to `layers`; the other weights stand still. Operators over the same model share `sessions`. */
export function openHessian(model: DifferentiableModel, layers: readonly PlacedLayer[] = model.layers, sessions: Sessions = createSessions(model.session)): HessianOperator {
  const places = placesByStage({ ...model, layers })
  const stages = model.stages.map((stage) => ({ ...stage, wrt: [...(places.get(stage.name)?.keys() ?? [])] }))
  const stream = createStream(stages, { loss: model.loss, park: model.park, sessions })
  return {
    layers,
    async apply(vector, signal) {
      const result = new Map(layers.map(({ name, shape: [rows, cols] }) => [name, new Float32Array(rows * cols)]))
      const share = 1 / model.samples.length
      for (const sample of model.samples) {
        await stream.product([sample], {
          signal,
          direction: (stage) => Object.fromEntries([...(places.get(stage.name) ?? [])].map(([input, { layer, index }]): [string, Tensor] => {
            const place = layer.places[index]
            return [input, { type: 'float32', dims: place.dims, data: asPlace(vector.get(layer.name) ?? new Float32Array(layer.shape[0] * layer.shape[1]), place, layer) }]
          })),
          take({ stage, products }) {
            for (const [input, { layer, index }] of places.get(stage.name) ?? []) {
              const { data } = products[input]
              const sum = result.get(layer.name)
              if (!(data instanceof Float32Array) || sum === undefined) throw new Error(`the product of ${stage.name}/${input} is not float32`)
              const product = asLayer(data, layer.places[index], layer)
              for (let at = 0; at < sum.length; at++) sum[at] += share * product[at]
            }
          },
        })
      }
      return result
    },
    dispose: () => stream.dispose(),
  }
}

export function inner(a: Vector, b: Vector): number {
  let sum = 0
  for (const [name, values] of a) {
    const other = b.get(name)
    for (let at = 0; other !== undefined && at < values.length; at++) sum += values[at] * other[at]
  }
  return sum
}

/** a += factor · b, in place. */
export function addScaled(a: Vector, factor: number, b: Vector): void {
  for (const [name, values] of a) {
    const other = b.get(name)
    for (let at = 0; other !== undefined && at < values.length; at++) values[at] += factor * other[at]
  }
}

export function scaled(a: Vector, factor: number): Vector {
  return new Map([...a].map(([name, values]) => [name, values.map((value) => factor * value)]))
}
