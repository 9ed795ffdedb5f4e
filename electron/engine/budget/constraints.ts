/**
 * @file Limits beside the size: multiplications (MACs), bit operations or measured milliseconds for one token, or one sample of a
 * graph. BOPs = MACs · weight bits · activation bits (HAWQ-V3); milliseconds come from a table measured on this machine (OHQ).
 */
import { AppError } from '../../contract/errors.ts'
import { limitNames, type LimitName } from '../../contract/engine.ts'
import { parseOption } from '../../contract/options.ts'
import type { Group } from './allocation.ts'
import type { Constraint } from './milp.ts'
import { intFormats } from './option-bytes.ts'
import type { TargetLayer } from './target-layers.ts'

/** Milliseconds one token (of a graph: one sample) takes in a layer stored as an option. */
export type Milliseconds = (layer: Pick<TargetLayer, 'name' | 'shape' | 'elements'>, option: string) => number
/** How often each weight of a layer is multiplied with in one sample: a convolution's output places, a product's rows. */
export type Positions = (layer: Pick<TargetLayer, 'name'>) => number

/** What limits need to know of the model and the machine. */
export interface LimitCosts {
  /** Needed where milliseconds are limited. */
  readonly milliseconds?: Milliseconds
  /** Once, for one token, where it is missing. */
  readonly positions?: Positions
}

const activationBits = 16
/** A low-rank branch is computed in 16 bits, whatever it is stored in. */
const branchBits = 16

/** Bits of a weight's code: Q4_K, IQ4_XS, int4-g64 → 4. Scales are not multiplied with and do not count. */
export function codeBits(option: string): number {
  const digits = /^(?:I?Q|TQ|MXFP)(\d)/.exec(option)?.[1]
  return intFormats.get(option)?.bits ?? (digits === undefined ? (option === 'F32' ? 32 : 16) : Number(digits))
}

/** The layers that multiply with every token; a table that is only looked up does not. */
export function multiplyingLayers<T extends Pick<TargetLayer, 'kind' | 'name'>>(layers: readonly T[]): T[] {
  const hasHead = layers.some(({ name }) => name === 'head')
  return layers.filter(({ kind, name }) => kind !== 'embedding' || (name === 'embedding' && !hasHead))
}

/** The limits asked for as constraints over the groups. */
export function costConstraints(limits: Readonly<Partial<Record<LimitName, number>>>, groups: readonly Group[], layers: readonly TargetLayer[], { milliseconds, positions = () => 1 }: LimitCosts): Constraint[] {
  const byName = new Map(multiplyingLayers(layers).map((layer) => [layer.name, layer]))
  const branch = ({ shape: [rows = 0, cols = 0] }: TargetLayer, rank: number): number => rank * (rows + cols)
  const costs: Readonly<Record<LimitName, (layer: TargetLayer, option: string) => number>> = {
    macs: (layer, option) => positions(layer) * (layer.elements + branch(layer, parseOption(option).rank)),
    bops(layer, option) {
      const { codec, rank } = parseOption(option)
      return positions(layer) * (layer.elements * codeBits(codec) + branch(layer, rank) * branchBits) * activationBits
    },
    ms(layer, option) {
      if (milliseconds === undefined) throw new AppError('bad-request', 'limit ms: found a target whose products this machine cannot time, expected onnx', { hint: 'Limit bops instead, or plan for the target onnx.' })
      return milliseconds(layer, parseOption(option).codec)
    },
  }
  return limitNames.flatMap((name) => {
    const limit = limits[name]
    if (limit === undefined) return []
    const sum = (group: Group, option: string): number => group.members.reduce((total, member) => {
      const layer = byName.get(member)
      return layer === undefined ? total : total + costs[name](layer, option)
    }, 0)
    return [{ name, limit, costs: groups.map((group) => group.options.map(({ option }) => sum(group, option))) }]
  })
}
