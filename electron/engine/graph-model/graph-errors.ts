/** @file The errors Δ = W − Ŵ of a graph's options, made again from the rounded bytes whenever a sample's gradient asks for them. */
import type { LayerErrors } from '../sensitivity/differentiable.ts'
import type { WorkFolder } from '../sensitivity/work-folder.ts'
import type { GraphModel } from './open.ts'
import type { GraphLayer } from './layers.ts'
import { decodeLayer } from './pack.ts'
import { codecOf, storedColumns } from './round.ts'

/** Bytes of errors held in memory. */
const HELD_BYTES = 512e6

/** Errors of the kept options of each layer. */
export function graphErrors(model: GraphModel, options: (layer: GraphLayer) => readonly string[], work: Pick<WorkFolder, 'option'>): ReadonlyMap<string, LayerErrors> {
  const held = new Map<string, Float32Array>()
  let heldBytes = 0
  return new Map(model.layers.map((layer) => [layer.name, {
    options: options(layer),
    async error(option) {
      const key = `${layer.name} ${option}`
      const known = held.get(key)
      if (known !== undefined) return known
      const weights = await model.readWeight(layer.name)
      const quantized = await decodeLayer(layer, codecOf(option), storedColumns(layer, option), await work.option(layer.name, option))
      const error = weights.map((value, index) => value - quantized[index])
      if (heldBytes + error.byteLength <= HELD_BYTES) {
        held.set(key, error)
        heldBytes += error.byteLength
      }
      return error
    },
  }]))
}
