/**
 * @file The trace of the loss Hessian with respect to activations: the values that pass between stages, such as the inputs of blocks
 * (HAWQ-V2, §3.3). Each is moved by random signs of its own; weights stand still, so no product with respect to a weight is made.
 */
import type { Context } from '../../../contract/events.ts'
import { elementCount } from '../../graph/element.ts'
import { createStream } from '../../autodiff/stream.ts'
import type { DifferentiableModel, OptionLoss } from '../differentiable.ts'
import { estimateOf } from '../gradients/draws.ts'
import { dot } from '../gradients/layout.ts'
import { hashOf, rademacher } from '../gradients/rademacher.ts'
import type { TraceOptions } from './trace.ts'

export interface ActivationTrace extends OptionLoss {
  /** The value's name. */
  readonly name: string
  /** Elements of one sample's activation. */
  readonly elements: number
}

/** Traces by activation, in the order of computation: one draw a sample at a time, `probes` draws. */
export async function activationTraces(model: DifferentiableModel, { probes, seed }: TraceOptions, { signal }: Pick<Context, 'signal'>): Promise<readonly ActivationTrace[]> {
  const names = model.stages.flatMap(({ outputs }) => Object.values(outputs)).filter((value) => value !== model.loss)
  const stages = model.stages.map((stage) => ({ ...stage, wrt: [] }))
  const stream = createStream(stages, { loss: model.loss, park: model.park, nudged: names, ...(model.session && { session: model.session }) })
  const draws = new Map<string, number[]>()
  const elements = new Map<string, number>()
  try {
    for (let draw = 0; draw < probes; draw++) {
      const nudge = (value: string, _sample: number, dims: readonly number[]): Float32Array => rademacher(elementCount(dims), hashOf(`${seed}/${draw}/${value}`))
      await stream.product([model.samples[draw % model.samples.length]], {
        signal,
        direction: () => ({}),
        nudge,
        take({ values }) {
          for (const [name, { data, dims }] of Object.entries(values)) {
            if (!(data instanceof Float32Array)) continue // integers do not move
            elements.set(name, data.length)
            draws.set(name, [...(draws.get(name) ?? []), dot(nudge(name, 0, dims), data)])
          }
        },
      })
    }
  } finally {
    stream.dispose()
  }
  return names.flatMap((name) => {
    const found = draws.get(name)
    return found === undefined ? [] : [{ name, elements: elements.get(name) ?? 0, ...estimateOf(found) }]
  })
}
