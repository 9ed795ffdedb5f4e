/** @file Everything a training run computes with: the base's weights as they are stored, the branches beside them, norms, and which of these are trained. */
import { AppError } from '../../../contract/errors.ts'
import { copyAdapter, adapterTrainables } from './adapters.ts'
import { isNorm, normTrainable } from './norms.ts'
import { scaleTrainable, type ScaleTrainable } from './scales.ts'
import type { Trainable, TrainableSet } from './trainable.ts'
import { linears } from '../../graph/decoder/spec.ts'
import type { Base } from '../base/base.ts'
import type { BaseWeight } from '../base/weight.ts'
import type { Adapter, LayerAdapter } from '../../correct/adapter.ts'

export interface TrainingState {
  readonly base: Base
  /** By layer name; `head` is the embedding where they are tied. */
  readonly weights: ReadonlyMap<string, BaseWeight>
  readonly branches: ReadonlyMap<string, LayerAdapter>
  /** Norms and biases of the model (null) and of each block, by short name. */
  readonly extras: ReadonlyMap<number | null, Readonly<Record<string, Float32Array>>>
  /** Trained scales by layer name. */
  readonly scales: ReadonlyMap<string, ScaleTrainable>
  readonly trainables: readonly Trainable[]
}

export interface StateOptions {
  /** Branches to compute with, and to train where `adapters` is among the sets. */
  readonly adapter: Adapter
  readonly sets: readonly TrainableSet[]
}

/** Reads the base and copies what will be changed. The order of the trainables is fixed. */
export async function openState(base: Base, { adapter, sets }: StateOptions, signal: AbortSignal): Promise<TrainingState> {
  const { spec } = base.model
  const branches = copyAdapter(base.model, adapter)
  const weights = new Map<string, BaseWeight>()
  const extras = new Map<number | null, Readonly<Record<string, Float32Array>>>()
  const scales = new Map<string, ScaleTrainable>()
  const trainables: Trainable[] = []
  for (let block = 0; block < spec.blocks; block++) {
    const small = copies(await base.model.readExtras(block))
    extras.set(block, small)
    for (const short of linears(spec)) {
      signal.throwIfAborted()
      const layer = `blocks.${block}.${short}`
      const weight = await base.weight(layer)
      weights.set(layer, weight)
      const branch = branches.get(layer)
      if (branch !== undefined && sets.includes('adapters')) trainables.push(...adapterTrainables(branch, block, short))
      const scale = sets.includes('scales') && weight.weight === 'packed' ? scaleTrainable(layer, block, short, base.codec(layer), weight) : null
      if (scale === null) continue
      scales.set(layer, scale)
      trainables.push(scale)
    }
    if (sets.includes('norms')) for (const [name, values] of Object.entries(small)) if (isNorm(name)) trainables.push(normTrainable(name, block, values))
  }
  const small = copies(await base.model.readExtras(null))
  extras.set(null, small)
  if (sets.includes('norms')) for (const [name, values] of Object.entries(small)) if (isNorm(name)) trainables.push(normTrainable(name, null, values))
  weights.set('head', await base.weight('head'))
  if (trainables.length === 0) throw nothingToTrain(base, sets)
  return { base, weights, branches, extras, scales, trainables }
}

function copies(values: Readonly<Record<string, Float32Array>>): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(values).map(([name, array]) => [name, array.slice()]))
}

function nothingToTrain({ model }: Base, sets: readonly TrainableSet[]): AppError {
  return new AppError('bad-request', `${model.path}: found nothing to train as ${sets.join(', ') || 'no set'}, expected adapters, scales of quantized layers, or norms`, {
    hint: 'Scales exist only in quantized layers; adapters need a rank above 0.',
  })
}
