/**
 * @file The trace of the loss Hessian ∂²L/∂w² of every layer by Hutchinson's estimator: tr H_l = E[v_lᵀ(Hv)_l] with v of random signs (HAWQ-V2,
 * §3.1). Every draw has a fresh vector and the next sample, so the error bar holds both kinds of chance. The number of draws is fixed: a rule
 * that stops when the mean settles stops too early.
 *   together: one vector spans all layers, one pass gives a draw for each; the products with other layers' parts average out, as noise.
 *   apart: a pass for each layer, without that noise. Better per unit of time where the noise is larger than the layers are many.
 */
import type { Context } from '../../../contract/events.ts'
import { createSessions, createStream, type Sessions } from '../../autodiff/stream.ts'
import { beginStage } from '../../job/progress.ts'
import type { DifferentiableModel, OptionLoss } from '../differentiable.ts'
import { appended, estimateOf, noDraws, type Resumable } from '../gradients/draws.ts'
import { asPlace, dot } from '../gradients/layout.ts'
import { hashOf, rademacher } from '../gradients/rademacher.ts'
import { placesByStage, SAMPLES_TOGETHER } from '../gradients/sample-gradients.ts'
import type { Tensor } from '../../../../kernels/kernels.ts'
import type { Stage } from '../../autodiff/stage.ts'

export interface TraceOptions {
  /** Draws: pairs of a vector and a sample. */
  readonly probes: number
  readonly seed: number
  /** Whether one vector spans all layers, or each has its own passes. */
  readonly layers?: 'together' | 'apart'
}

/** Traces by layer. */
export async function hessianTraces(model: DifferentiableModel, { probes, seed, layers = 'together' }: TraceOptions, context: Context, { known = noDraws, save }: Resumable = {}): Promise<ReadonlyMap<string, OptionLoss>> {
  const sessions = createSessions(model.session)
  const groups = layers === 'together' ? [model.layers] : model.layers.map((layer) => [layer])
  const progress = beginStage(context, 'measure', probes * model.layers.length, known.done * model.layers.length)
  let draws = known
  try {
    while (draws.done < probes) {
      const numbers = Array.from({ length: Math.min(SAMPLES_TOGETHER, probes - draws.done) }, (_, index) => draws.done + index)
      const added = new Map<string, readonly number[]>()
      for (const group of groups) for (const [layer, list] of await drawTraces({ ...model, layers: group }, numbers, seed, sessions, context.signal, (item) => progress.advance(item))) added.set(layer, list)
      draws = appended(draws, numbers.length, added)
      await save?.(draws)
    }
  } finally {
    sessions.dispose()
  }
  return new Map(model.layers.map(({ name }) => [name, estimateOf(draws.values[name] ?? [])]))
}

/** vᵀHv of every layer of the model, for each of the numbered draws. */
async function drawTraces(model: DifferentiableModel, draws: readonly number[], seed: number, sessions: Sessions, signal: AbortSignal, advance: (item: string) => void): Promise<ReadonlyMap<string, readonly number[]>> {
  const places = placesByStage(model)
  const found = new Map(model.layers.map(({ name }) => [name, draws.map(() => 0)]))
  let last: { key: string; vectors: Record<string, Tensor> } | undefined
  const vectorsOf = (stage: Stage, draw: number): Record<string, Tensor> => {
    const key = `${stage.name} ${draw}`
    if (last?.key === key) return last.vectors
    const vectors = Object.fromEntries([...(places.get(stage.name) ?? [])].map(([input, { layer, index }]): [string, Tensor] => {
      const signs = rademacher(layer.shape[0] * layer.shape[1], hashOf(`${seed}/${draws[draw]}/${layer.name}`))
      return [input, { type: 'float32', dims: layer.places[index].dims, data: asPlace(signs, layer.places[index], layer) }]
    }))
    last = { key, vectors }
    return vectors
  }
  const stages = model.stages.map((stage) => ({ ...stage, wrt: [...(places.get(stage.name)?.keys() ?? [])] }))
  const stream = createStream(stages, { loss: model.loss, park: model.park, sessions })
  await stream.product(draws.map((draw) => model.samples[draw % model.samples.length]), {
    signal,
    direction: vectorsOf,
    take({ stage, sample, products }) {
      const vectors = vectorsOf(stage, sample)
      for (const [input, { layer: { name }, index }] of places.get(stage.name) ?? []) {
        const [v, product, list] = [vectors[input].data, products[input].data, found.get(name)]
        if (!(v instanceof Float32Array) || !(product instanceof Float32Array) || list === undefined) throw new Error(`the product of ${stage.name}/${input} is not float32`)
        list[sample] += dot(v, product)
        if (index === 0) advance(`${name}, probe ${draws[sample] + 1}`)
      }
    },
  })
  stream.dispose()
  return found
}
