/** @file The errors of kept options, Δ = W − Ŵ, made again whenever a sample asks for them; those that fit are held. */
import { kernels } from '../../../kernels/kernels.ts'
import type { CodecName } from '../../contract/options.ts'
import type { Layer } from '../model.ts'
import type { LayerErrors } from './differentiable.ts'
import type { WorkFolder } from './work-folder.ts'

/** Bytes of errors held in memory. */
const HELD_BYTES = 512e6

/** Errors of the options of each layer; `options` gives their names. */
export function keptErrors(layers: readonly Layer[], options: (layer: Layer) => readonly CodecName[], work: Pick<WorkFolder, 'option'>, readWeight: (layer: string) => Promise<Float32Array>): ReadonlyMap<string, LayerErrors> {
  const held = new Map<string, Float32Array>()
  let heldBytes = 0
  let last: { layer: string; weights: Float32Array } | undefined
  return new Map(layers.map((layer) => [layer.name, {
    options: options(layer),
    async error(option) {
      const key = `${layer.name} ${option}`
      const known = held.get(key)
      if (known !== undefined) return known
      const [rows, cols] = layer.shape
      if (last?.layer !== layer.name) last = { layer: layer.name, weights: await readWeight(layer.name) }
      const { weights } = last
      const error = new Float32Array(weights.length)
      await kernels().decode(option as CodecName, { rows, cols }, await work.option(layer.name, option), error)
      for (let index = 0; index < error.length; index++) error[index] = weights[index] - error[index]
      if (heldBytes + error.byteLength <= HELD_BYTES) {
        held.set(key, error)
        heldBytes += error.byteLength
      }
      return error
    },
  }]))
}
