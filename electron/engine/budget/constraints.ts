/**
 * @file Limits beside the size: bit operations or measured milliseconds for one token. BOPs = MACs · weight bits · activation
 * bits (HAWQ-V3); milliseconds come from a table measured on this machine (OHQ).
 */
import { AppError } from '../../contract/errors.ts'
import type { LimitName } from '../../contract/engine.ts'
import { parseOption } from '../../contract/options.ts'
import type { Group } from './allocation.ts'
import type { Constraint } from './milp.ts'
import { intFormats } from './option-bytes.ts'
import type { TargetLayer } from './target-layers.ts'

/** Milliseconds one token takes in a layer stored as an option. */
export type Milliseconds = (layer: TargetLayer, option: string) => number

const activationBits = 16
/** A low-rank branch is computed in 16 bits, whatever it is stored in. */
const branchBits = 16

/** Bits of a weight's code: Q4_K, IQ4_XS, int4-g64 → 4. Scales are not multiplied with and do not count. */
export function codeBits(option: string): number {
  const digits = /^(?:I?Q|TQ|MXFP)(\d)/.exec(option)?.[1]
  return intFormats.get(option)?.bits ?? (digits === undefined ? (option === 'F32' ? 32 : 16) : Number(digits))
}

/** Multiplications for one token: each weight once; a table that is only looked up takes none. */
function multiplications({ kind, elements, name }: TargetLayer, hasHead: boolean): number {
  return kind === 'embedding' && (hasHead || name !== 'embedding') ? 0 : elements
}

/** The limits asked for as constraints over the groups. */
export function costConstraints(limits: Readonly<Partial<Record<LimitName, number>>>, groups: readonly Group[], layers: readonly TargetLayer[], milliseconds: Milliseconds | undefined): Constraint[] {
  const byName = new Map(layers.map((layer) => [layer.name, layer]))
  const hasHead = byName.has('head')
  const costs: Readonly<Record<LimitName, (layer: TargetLayer, option: string) => number>> = {
    bops(layer, option) {
      const { codec, rank } = parseOption(option)
      const [rows = 0, cols = 0] = layer.shape
      return (multiplications(layer, hasHead) * codeBits(codec) + rank * (rows + cols) * branchBits) * activationBits
    },
    ms(layer, option) {
      if (milliseconds === undefined) throw new AppError('bad-request', 'a limit on milliseconds needs a table of times measured on this machine', { hint: 'Times are measured for the target onnx only; limit bops instead.' })
      return milliseconds(layer, parseOption(option).codec)
    },
  }
  return (['bops', 'ms'] as const).flatMap((name) => {
    const limit = limits[name]
    if (limit === undefined) return []
    const sum = (group: Group, option: string): number => group.members.reduce((total, member) => {
      const layer = byName.get(member)
      return layer === undefined ? total : total + costs[name](layer, option)
    }, 0)
    return [{ name, limit, costs: groups.map((group) => group.options.map(({ option }) => sum(group, option))) }]
  })
}
