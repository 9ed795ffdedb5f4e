/** @file The map with a row a block: the losses of its layers added up, where all of them are known. Layers of no block stay. Pure. */
import type { HeatRow } from '../../charts/heat-map.tsx'
import type { Cell } from '../../state/live.ts'

type BlockOf = (layer: string) => number | null

const nameOf = (block: number): string => `block ${String(block)}`

/** Losses of one format added up; undefined where a layer of the block was not measured in it and could be. */
function sumOf(members: readonly HeatRow[], option: string): Cell | undefined {
  const able = members.filter(({ excluded }) => excluded[option] === undefined)
  const cells = able.flatMap(({ cells: own }) => own[option] ?? [])
  if (cells.length === 0 || cells.length < able.length) return undefined
  const sum = (of: (cell: Cell) => number): number => cells.reduce((all, cell) => all + of(cell), 0)
  return { value: sum(({ value }) => value), stderr: Math.sqrt(sum(({ stderr }) => stderr ** 2)), bytes: sum(({ bytes }) => bytes) }
}

export function foldBlocks(rows: readonly HeatRow[], options: readonly string[], blockOf: BlockOf): HeatRow[] {
  return Array.from(Map.groupBy(rows, ({ layer }) => blockOf(layer) ?? layer), ([block, members]): HeatRow[] => {
    if (typeof block === 'string') return members
    return [{ layer: nameOf(block), note: `${nameOf(block)}, ${String(members.length)} layers`, cells: Object.fromEntries(options.map((option) => [option, sumOf(members, option)])), excluded: {} }]
  }).flat()
}

/** The layers of a folded row by their loss in a format, worst first; undefined for a row that is a layer. */
export function membersOf(rows: readonly HeatRow[], folded: string, option: string, blockOf: BlockOf): HeatRow[] | undefined {
  const members = rows.filter(({ layer }) => { const block = blockOf(layer); return block !== null && nameOf(block) === folded })
  return members.length === 0 ? undefined : members.sort((a, b) => (b.cells[option]?.value ?? 0) - (a.cells[option]?.value ?? 0))
}

/** Smallest and largest positive loss of some rows. */
export function rangeOf(rows: readonly HeatRow[]): readonly [number, number] {
  const losses = rows.flatMap(({ cells }) => Object.values(cells).flatMap((cell) => (cell && cell.value > 0 ? [cell.value] : [])))
  return losses.length === 0 ? [0, 0] : [Math.min(...losses), Math.max(...losses)]
}
