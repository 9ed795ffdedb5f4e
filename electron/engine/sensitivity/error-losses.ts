/**
 * @file The loss of every option of every layer from one pass of gradients: each sample's gradient is put against the error Δ of each
 * option as it comes, so nothing of a model's size is kept, and every number has its standard error over samples.
 */
import { setImmediate } from 'node:timers/promises'
import type { Context } from '../../contract/events.ts'
import { beginStage } from '../job/progress.ts'
import type { DifferentiableModel, LayerErrors, OptionLoss } from './differentiable.ts'
import { appended, estimateOf, keyOf, noDraws, type Draws, type Resumable } from './gradients/draws.ts'
import { openGradients } from './gradients/sample-gradients.ts'
import type { Term } from './terms/term.ts'

export type LayerLosses = ReadonlyMap<string, Readonly<Record<string, OptionLoss>>>

/** Losses from what was drawn so far: layer → option → loss. */
export function lossesOf(draws: Draws, errors: ReadonlyMap<string, LayerErrors>): LayerLosses {
  return new Map([...errors].map(([layer, { options }]) => [layer, Object.fromEntries(options.map((option) => [option, estimateOf(draws.values[keyOf(layer, option)] ?? [])]))]))
}

/** Losses of the layers in `errors`, whose weights the model's stages must differentiate. */
export async function errorLosses(model: DifferentiableModel, term: Term, errors: ReadonlyMap<string, LayerErrors>, context: Context, { known = noDraws, save }: Resumable = {}): Promise<LayerLosses> {
  const gradients = openGradients(model)
  const count = model.samples.length
  const progress = beginStage(context, 'measure', count * model.layers.length, known.done * model.layers.length)
  let draws = known
  try {
    while (draws.done < count) {
      const samples = Array.from({ length: Math.min(gradients.together, count - draws.done) }, (_, index) => draws.done + index)
      const added = new Map<string, number[]>()
      await gradients.pass(samples, async ({ layer, gradient, sample }) => {
        const given = errors.get(layer.name)
        for (const option of given?.options ?? []) {
          const error = await given?.error(option)
          if (error === undefined) continue
          const key = keyOf(layer.name, option)
          const list = added.get(key) ?? new Array<number>(samples.length).fill(0)
          list[sample - draws.done] = term.of(gradient, error, layer.shape[1], model.predictions)
          added.set(key, list)
          await setImmediate()
        }
        progress.advance(`${layer.name}, sample ${sample + 1} of ${count}`)
      }, context.signal)
      draws = appended(draws, samples.length, added)
      await save?.(draws)
    }
  } finally {
    gradients.dispose()
  }
  return lossesOf(draws, errors)
}
