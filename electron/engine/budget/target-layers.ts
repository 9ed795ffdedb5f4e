/**
 * @file The measured layers as one target sees them: the options it can hold, at their exact bytes in its layout. Losses are
 * made monotone in bytes. Layers a stopped measurement did not reach get the mean loss per weight of measured layers of
 * the same role, and are named.
 */
import { AppError } from '../../contract/errors.ts'
import { parseOption, type Target } from '../../contract/options.ts'
import type { MeasuredLayer, OptionCost, Sensitivity } from '../../contract/sensitivity.ts'
import { adapterBytes, type AdapterStorage } from '../correct/adapter-storage.ts'
import { monotoneCosts } from './monotone-costs.ts'
import { optionBytes, targetOptions, type OptionBytes, type SizedLayer } from './option-bytes.ts'

export interface TargetLayer {
  readonly name: string
  readonly kind: 'matmul' | 'conv' | 'embedding'
  readonly shape: readonly number[]
  readonly elements: number
  readonly ties: string | null
  readonly trace: number | null
  /** Never empty. */
  readonly options: ReadonlyMap<string, OptionCost>
  /** Options other layers have and this one cannot take. */
  readonly excluded: ReadonlyMap<string, string>
}

export interface TargetLayers {
  readonly layers: readonly TargetLayer[]
  /** Layers whose losses are estimated from others. */
  readonly estimated: readonly string[]
}

/** 16-bit storage loses next to nothing: where it was not measured its loss counts as zero. */
const lossless = 'F16'

/** Why an option that a layer could take is none: nobody asked for its loss. */
export const unmeasured = 'not measured'

/** Which ranks a plan may choose from, and how their numbers are stored. */
export interface RankChoice {
  readonly allows: (rank: number) => boolean
  readonly storage: AdapterStorage
}

const noRanks: RankChoice = { allows: (rank) => rank === 0, storage: 'float16' }

/** Bytes of a layer under an option in a target, or why it cannot take it. */
export type SizeOption = (target: Target, layer: SizedLayer, option: string) => OptionBytes

/** Names of measured options that the target holds, those with a rank included. */
function optionNames({ layers }: Sensitivity, target: Target): string[] {
  const codecs = targetOptions[target].filter((option) => option === lossless || layers.some(({ options }) => Object.hasOwn(options, option)))
  const ranked = new Set(layers.flatMap(({ options }) => Object.keys(options)).filter((name) => parseOption(name).rank > 0))
  return [...codecs, ...[...ranked].filter((name) => codecs.some((codec) => codec === parseOption(name).codec))]
}

export function targetLayers(measured: Sensitivity, target: Target, ranks: RankChoice = noRanks, sizeOption: SizeOption = optionBytes): TargetLayers {
  const names = optionNames(measured, target)
  // A finished map may hold layers that take nothing it measures: they stay as they are.
  const isMeasured = ({ options }: MeasuredLayer): boolean => names.some((name) => Object.hasOwn(options, name)) || (measured.complete && Object.keys(options).length === 0)
  const known = measured.layers.filter((layer) => isMeasured(layer) && Object.keys(layer.options).length > 0)
  if (known.length === 0) {
    refuseUnfit(measured, target)
    throw new AppError('measurement-mismatch', `The sensitivity map holds no option that ${target} can store; it has ${measuredNames(measured)}`, {
      hint: `Measure again for the target ${target}.`,
    })
  }
  return {
    layers: measured.layers.map((layer) => targetLayer(layer, isMeasured(layer) ? layer.options : estimate(layer, known), names, target, ranks, sizeOption)),
    estimated: measured.layers.filter((layer) => !isMeasured(layer)).map(({ name }) => name),
  }
}

/** Refuses a model of which no layer can take any of the formats that were to be measured. */
function refuseUnfit({ layers, complete }: Sensitivity, target: Target): void {
  const [largest] = layers.toSorted((a, b) => b.elements - a.elements)
  const reasons = [...new Set(Object.values(largest?.excluded ?? {}))]
  if (!complete || layers.some(({ options }) => Object.keys(options).length > 0) || reasons.length === 0) return
  throw new AppError('budget-impossible', `No layer of this model can take a narrow format of ${target}: of ${largest.name} ${reasons.slice(0, 3).join('; ')}`, { hint: 'Choose another target, or leave the model as it is.' })
}

function measuredNames({ layers }: Sensitivity): string {
  const names = new Set(layers.flatMap(({ options }) => Object.keys(options)))
  return names.size === 0 ? 'no measured layers' : [...names].join(', ')
}

function targetLayer(layer: MeasuredLayer, losses: Readonly<Record<string, OptionCost>>, names: readonly string[], target: Target, { allows, storage }: RankChoice, sizeOption: SizeOption): TargetLayer {
  const options: Record<string, OptionCost> = {}
  const excluded = new Map<string, string>()
  const isRanked = layer.block !== null && layer.kind === 'matmul'
  for (const name of names) {
    const { codec, rank } = parseOption(name)
    if (isRanked ? !allows(rank) : rank > 0) continue
    const loss = Object.hasOwn(losses, name) ? losses[name] : name === lossless ? { value: 0, stderr: 0 } : undefined
    const size = sizeOption(target, layer, codec)
    if ('reason' in size) excluded.set(name, size.reason)
    else if (loss === undefined) excluded.set(name, layer.excluded[name] ?? unmeasured)
    else options[name] = { bytes: size.bytes + adapterBytes(target, storage, rank, [layer.shape[0] ?? 0, layer.shape[1] ?? 0]), value: loss.value, stderr: loss.stderr }
  }
  return { ...layer, trace: layer.trace?.value ?? null, options: new Map(Object.entries(monotoneByRank(options))), excluded }
}

/** Losses monotone in bytes among the options of one rank: a correction beside a narrow format is not expected to beat a wider one. */
function monotoneByRank(options: Readonly<Record<string, OptionCost>>): Record<string, OptionCost> {
  const byRank = Map.groupBy(Object.entries(options), ([name]) => parseOption(name).rank)
  const monotone = new Map([...byRank.values()].flatMap((entries) => Object.entries(monotoneCosts(Object.fromEntries(entries)))))
  return Object.fromEntries(Object.keys(options).map((name) => [name, monotone.get(name) ?? options[name]]))
}

/** Mean loss per weight of measured layers of the same role (any role where there is none), times the layer's weights. */
function estimate(layer: MeasuredLayer, known: readonly MeasuredLayer[]): Record<string, OptionCost> {
  const alike = known.filter((other) => role(other.name) === role(layer.name))
  const others = alike.length > 0 ? alike : known
  const names = new Set(others.flatMap(({ options }) => Object.keys(options)))
  return Object.fromEntries([...names].map((name) => {
    const rates = others.flatMap(({ options, elements }) => (Object.hasOwn(options, name) ? [options[name].value / elements] : []))
    const value = (layer.elements * rates.reduce((sum, rate) => sum + rate, 0)) / rates.length
    return [name, { bytes: 0, value, stderr: value }]
  }))
}

/** `blocks.3.q` → `blocks.#.q`: the same place in another block. */
function role(name: string): string {
  return name.replace(/\d+/g, '#')
}
