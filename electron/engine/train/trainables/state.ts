/** @file Everything a training run computes with: the base's weights as they are stored, the branches beside them, norms, and which of these are trained. */
import { copyAdapter, adapterTrainables } from './adapters.ts'
import { codeTrainable, type CodeTrainable } from './codes.ts'
import { isNorm, normTrainable } from './norms.ts'
import { scaleTrainable, type ScaleTrainable } from './scales.ts'
import type { TrainableSet } from '../../../contract/training.ts'
import type { Trainable } from './trainable.ts'
import type { LinearKind } from '../../graph/decoder/layers.ts'
import { linears } from '../../graph/decoder/spec.ts'
import type { Base } from '../base/base.ts'
import { kindOf, type BaseWeight } from '../base/weight.ts'
import { openWeightPark, type WeightPark } from '../base/weight-park.ts'
import type { Adapter, LayerAdapter } from '../../correct/adapter.ts'

export interface TrainingState {
  readonly base: Base
  /** Weights of the blocks' layers. */
  readonly weights: WeightPark
  /** The embedding where they are tied; null in a state of one block alone. */
  readonly head: BaseWeight | null
  /** How each layer enters its graph, by name. */
  readonly kinds: ReadonlyMap<string, LinearKind>
  readonly branches: ReadonlyMap<string, LayerAdapter>
  /** Norms and biases of the model (null) and of each block, by short name. */
  readonly extras: ReadonlyMap<number | null, Readonly<Record<string, Float32Array>>>
  /** Trained scales by layer name. */
  readonly scales: ReadonlyMap<string, ScaleTrainable>
  /** Trained codes by layer name. */
  readonly codes: ReadonlyMap<string, CodeTrainable>
  readonly trainables: readonly Trainable[]
}

export interface StateOptions {
  /** Branches to compute with, and to train where `adapters` is among the sets. */
  readonly adapter: Adapter
  readonly sets: readonly TrainableSet[]
  /** Norms in the place of the base's, by canonical name. */
  readonly norms?: ReadonlyMap<string, Float32Array>
  /** Weights of a layer before they were rounded, from which trained codes begin. */
  readonly source?: ((layer: string) => Promise<Float32Array>) | undefined
  /** One block alone, without the head; all of them where it is missing. */
  readonly block?: number
  /** Where the weights of the blocks are kept: in memory, all of them, where it is missing. */
  readonly weights?: WeightPark
}

/** Reads the base and copies what will be changed. The order of the trainables is fixed. */
export async function openState(base: Base, { adapter, sets, norms, source, block: only, weights = openWeightPark() }: StateOptions, signal: AbortSignal): Promise<TrainingState> {
  const { spec } = base.model
  const branches = copyAdapter(base.model, adapter)
  const kinds = new Map<string, LinearKind>()
  const extras = new Map<number | null, Readonly<Record<string, Float32Array>>>()
  const scales = new Map<string, ScaleTrainable>()
  const codes = new Map<string, CodeTrainable>()
  const trainables: Trainable[] = []
  const [first, last] = only === undefined ? [0, spec.blocks - 1] : [only, only]
  for (let block = first; block <= last; block++) {
    const small = copies(await base.model.readExtras(block), `blocks.${block}.`, norms)
    extras.set(block, small)
    const own = new Map<string, BaseWeight>()
    for (const short of linears(spec)) {
      signal.throwIfAborted()
      const layer = `blocks.${block}.${short}`
      const weight = await base.weight(layer)
      own.set(layer, weight)
      const branch = branches.get(layer)
      kinds.set(layer, kindOf(weight, branch?.rank ?? 0))
      if (branch !== undefined && sets.includes('adapters')) trainables.push(...adapterTrainables(branch, block, short))
      const code = sets.includes('codes') && weight.weight === 'packed' ? codeTrainable(layer, block, short, base.codec(layer), weight, { bytes: await base.bytes(layer), weights: await source?.(layer) }) : null
      if (code !== null) {
        codes.set(layer, code)
        trainables.push(code)
      }
      const scale = sets.includes('scales') && weight.weight === 'packed' ? scaleTrainable(layer, block, short, base.codec(layer), weight, code?.groups) : null
      if (scale === null) continue
      scales.set(layer, scale)
      trainables.push(scale)
    }
    await weights.set(block, own)
    if (sets.includes('norms')) for (const [name, values] of Object.entries(small)) if (isNorm(name)) trainables.push(normTrainable(name, block, values))
  }
  if (only !== undefined) return { base, weights, head: null, kinds, branches, extras, scales, codes, trainables }
  const small = copies(await base.model.readExtras(null), '', norms)
  extras.set(null, small)
  if (sets.includes('norms')) for (const [name, values] of Object.entries(small)) if (isNorm(name)) trainables.push(normTrainable(name, null, values))
  const head = await base.weight('head')
  kinds.set('head', kindOf(head, 0))
  return { base, weights, head, kinds, branches, extras, scales, codes, trainables }
}

/** Takes up what the trained scales and codes say now; to be called whenever they have changed. */
export async function refreshState({ scales, codes }: Pick<TrainingState, 'scales' | 'codes'>): Promise<void> {
  for (const scale of scales.values()) scale.refresh()
  for (const code of codes.values()) await code.refresh()
}

function copies(values: Readonly<Record<string, Float32Array>>, prefix: string, replaced: ReadonlyMap<string, Float32Array> | undefined): Record<string, Float32Array> {
  return Object.fromEntries(Object.entries(values).map(([name, array]) => [name, (replaced?.get(prefix + name) ?? array).slice()]))
}
