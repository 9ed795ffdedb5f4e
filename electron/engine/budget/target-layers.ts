/**
 * @file The measured layers as one target sees them: the options it can hold, at their exact bytes in its layout. Losses are
 * made monotone in bytes. Layers a stopped measurement did not reach get the mean loss per weight of measured layers of
 * the same role, and are named.
 */
import { AppError } from '../../contract/errors.ts'
import type { Target } from '../../contract/options.ts'
import type { MeasuredLayer, OptionCost, Sensitivity } from '../../contract/sensitivity.ts'
import { monotoneCosts } from './monotone-costs.ts'
import { optionBytes, targetOptions } from './option-bytes.ts'

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

export function targetLayers(measured: Sensitivity, target: Target): TargetLayers {
  const names = targetOptions[target].filter((option) => option === lossless || measured.layers.some(({ options }) => Object.hasOwn(options, option)))
  const isMeasured = ({ options }: MeasuredLayer): boolean => names.some((name) => Object.hasOwn(options, name))
  const known = measured.layers.filter(isMeasured)
  if (known.length === 0) {
    throw new AppError('measurement-mismatch', `The sensitivity map holds no option that ${target} can store; it has ${measuredNames(measured)}`, {
      hint: `Measure again for the target ${target}.`,
    })
  }
  return {
    layers: measured.layers.map((layer) => targetLayer(layer, isMeasured(layer) ? layer.options : estimate(layer, known), names, target)),
    estimated: measured.layers.filter((layer) => !isMeasured(layer)).map(({ name }) => name),
  }
}

function measuredNames({ layers }: Sensitivity): string {
  const names = new Set(layers.flatMap(({ options }) => Object.keys(options)))
  return names.size === 0 ? 'no measured layers' : [...names].join(', ')
}

function targetLayer(layer: MeasuredLayer, losses: Readonly<Record<string, OptionCost>>, names: readonly string[], target: Target): TargetLayer {
  const options: Record<string, OptionCost> = {}
  const excluded = new Map<string, string>()
  for (const name of names) {
    const loss = Object.hasOwn(losses, name) ? losses[name] : name === lossless ? { value: 0, stderr: 0 } : undefined
    const size = optionBytes(target, layer, name)
    if ('reason' in size) excluded.set(name, size.reason)
    else if (loss === undefined) excluded.set(name, layer.excluded[name] ?? 'not measured')
    else options[name] = { bytes: size.bytes, value: loss.value, stderr: loss.stderr }
  }
  return { ...layer, trace: layer.trace?.value ?? null, options: new Map(Object.entries(monotoneCosts(options))), excluded }
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
