/** @file The map as it is shown: the saved measurement with what the running one has said since. Pure. */
import type { OpenProject } from '../../../electron/contract/api.ts'
import type { HeatRow } from '../../charts/heat-map.tsx'
import type { Cell, Live } from '../../state/live.ts'

export interface SensitivityMap {
  readonly rows: readonly HeatRow[]
  /** By bits per weight, smallest first. */
  readonly options: readonly string[]
  /** Smallest and largest positive loss. */
  readonly range: readonly [number, number]
  readonly measured: number
  readonly total: number
  /** Layers by their loss at the option nearest 4 bits per weight, worst first. */
  readonly ranking: readonly { readonly layer: string; readonly option: string; readonly cell: Cell }[]
}

/** Noted for layers that take nothing else: a column of their own only where most layers have it. */
const plain: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16'])

export function buildMap({ summary, sensitivity }: Pick<OpenProject, 'summary' | 'sensitivity'>, live: Live | undefined): SensitivityMap {
  const saved = new Map(sensitivity?.layers.map((layer) => [layer.name, layer]))
  const layers = summary.layers.map(({ name, shape, elements, block }) => {
    const layer = saved.get(name)
    const cells: Record<string, Cell> = { ...layer?.options, ...live?.cells[name] }
    return { name, elements, note: `${name}, ${shape.join(' × ')}${block === null ? '' : `, block ${String(block)}`}`, cells, excluded: layer?.excluded ?? {} }
  })
  const bitsOf = new Map<string, { bits: number; count: number }>()
  for (const { cells, elements } of layers) {
    for (const [option, { bytes }] of Object.entries(cells)) {
      const seen = bitsOf.get(option) ?? { bits: 0, count: 0 }
      bitsOf.set(option, { bits: seen.bits + (8 * bytes) / elements, count: seen.count + 1 })
    }
  }
  const bits = (option: string): number => { const seen = bitsOf.get(option); return seen ? seen.bits / seen.count : 0 }
  const measured = layers.filter(({ cells }) => Object.keys(cells).length > 0).length
  const isCommon = (option: string): boolean => !plain.has(option) || (bitsOf.get(option)?.count ?? 0) * 2 >= measured || measured < 4
  const options = [...bitsOf.keys()].filter(isCommon).sort((a, b) => bits(a) - bits(b) || a.localeCompare(b))
  const losses = layers.flatMap(({ cells }) => options.flatMap((option) => { const value = cells[option]?.value ?? 0; return value > 0 ? [value] : [] }))
  const reference = options.toSorted((a, b) => Math.abs(bits(a) - 4.5) - Math.abs(bits(b) - 4.5))
  const ranking = layers.flatMap(({ name, cells }) => {
    const option = reference.find((one) => cells[one] !== undefined)
    const cell = option === undefined ? undefined : cells[option]
    return option === undefined || cell === undefined ? [] : [{ layer: name, option, cell }]
  }).sort((a, b) => b.cell.value - a.cell.value)
  return {
    rows: layers.map(({ name, note, cells, excluded }) => ({ layer: name, note, cells, excluded })),
    options,
    range: losses.length > 0 ? [Math.min(...losses), Math.max(...losses)] : [0, 0],
    measured: sensitivity?.complete === true && live === undefined ? layers.length : measured, // some layers take no format at all
    total: layers.length,
    ranking,
  }
}
