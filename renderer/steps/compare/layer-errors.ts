/** @file The output error of each layer in the newest run, beside that of a baseline. Pure. */
import type { Live } from '../../state/live.ts'

export interface LayerError { readonly layer: string; readonly option: string; readonly error: number; readonly baseline: number | null }

/** In the order of the model; layers whose error is not known are left out. */
export function layerErrors(layers: readonly { readonly name: string }[], run: Pick<Live, 'tensors'>, baseline: Pick<Live, 'tensors'>): LayerError[] {
  // A run that was resumed tells of a layer twice: the last time counts.
  const [own, other] = [run, baseline].map(({ tensors }) => new Map(tensors.map((tensor) => [tensor.name, tensor])))
  return layers.flatMap(({ name }) => {
    const found = own?.get(name)
    return found && found.error > 0 ? [{ layer: name, option: found.option, error: found.error, baseline: other?.get(name)?.error ?? null }] : []
  })
}
