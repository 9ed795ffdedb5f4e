/** @file What a run gives: branches, layers with trained scales in the bytes of their codec, norms. */
import type { Adapter } from '../correct/adapter.ts'
import { recoded } from './base/stored-codes.ts'
import { rescaled } from './base/stored-scales.ts'
import type { Point, Skipped } from './checkpoint.ts'
import { factorsOf } from './trainables/scales.ts'
import type { TrainingState } from './trainables/state.ts'

export interface TrainedWeights {
  readonly adapter: Adapter
  /** Stored bytes of the layers whose scales or codes were trained; the others' are the base's. */
  readonly blobs: ReadonlyMap<string, Uint8Array>
  /** Trained norms by canonical name (`blocks.3.mlp_norm`, `final_norm`). */
  readonly norms: ReadonlyMap<string, Float32Array>
}

export interface Trained extends TrainedWeights {
  /** Steps done, and updates among them. */
  readonly steps: number
  readonly updates: number
  readonly stopped: 'steps' | 'early'
  /** Batches that were left out because a loss or gradient was not a number. */
  readonly skipped: readonly Skipped[]
  /** Series `loss`, its terms, `gradient norm` and `held-out loss`, by step. */
  readonly points: readonly Point[]
  /** Mean loss on held-out windows before the first step and of the values given; null without such windows. */
  readonly heldOut: { readonly before: number; readonly after: number; readonly step: number } | null
}

/** The trained weights of a state that is not used any more: its own arrays, since copies would be the peak of a run's memory. */
export async function weightsOf({ base, branches, scales, codes, trainables }: TrainingState): Promise<TrainedWeights> {
  const blobs = new Map<string, Uint8Array>()
  for (const layer of new Set([...scales.keys(), ...codes.keys()])) {
    const shape = base.model.layers.find(({ name }) => name === layer)?.shape ?? [0, 0]
    const [own, scale] = [codes.get(layer), scales.get(layer)]
    const bytes = await base.bytes(layer)
    const moved = own === undefined ? bytes : await recoded(base.codec(layer), shape, bytes, own.places())
    blobs.set(layer, scale === undefined ? moved : await rescaled(base.codec(layer), shape, moved, factorsOf(scale.values)))
  }
  return {
    adapter: branches,
    blobs,
    norms: new Map(trainables.filter(({ set }) => set === 'norms').map(({ name, values }) => [name, values])),
  }
}
