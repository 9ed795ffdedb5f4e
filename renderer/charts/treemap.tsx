/**
 * @file A treemap: area is bytes, colour is kind, grouped by block. One tile is selected; arrows move through the tiles by size,
 * and the selection is shared with the table beside it (areas are hard to compare, sorted numbers are not).
 */
import { hierarchy, treemap, treemapSquarify, type HierarchyRectangularNode } from 'd3-hierarchy'
import { useId, useMemo } from 'react'
import { useSize } from './use-size.ts'

export interface Tile { readonly key: string; readonly label: string; readonly group: string; readonly bytes: number; readonly category: number; readonly description: string }
interface Branch { readonly key: string; readonly children?: readonly (Branch | Leaf)[] }
interface Leaf { readonly key: string; readonly tile: Tile }

/** More tiles than this are smaller than a pixel: groups are shown instead. */
const maxTiles = 1500
/** Of a label's letters, in pixels. */
const letterWidth = 6.4
export const categoryFills = ['fill-cat-1', 'fill-cat-2', 'fill-cat-3', 'fill-cat-4', 'fill-cat-5', 'fill-cat-6'] as const

export function Treemap({ label, tiles, selected, onSelect, height = 280 }: { readonly label: string; readonly tiles: readonly Tile[]; readonly selected: string | null; readonly onSelect: (key: string) => void; readonly height?: number }): React.JSX.Element {
  const { ref, width } = useSize<HTMLDivElement>()
  const id = useId()
  const shown = useMemo(() => (tiles.length > maxTiles ? byGroup(tiles) : tiles), [tiles])
  const leaves = useMemo(() => layout(shown, width, height), [shown, width, height])
  const order = useMemo(() => [...leaves].sort((a, b) => b.tile.bytes - a.tile.bytes), [leaves])
  const index = order.findIndex(({ tile }) => tile.key === selected)

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const moves: Partial<Record<string, number>> = { ArrowRight: index + 1, ArrowDown: index + 1, ArrowLeft: index - 1, ArrowUp: index - 1, Home: 0, End: order.length - 1 }
    const wanted = moves[event.key]
    if (wanted === undefined || order.length === 0) return
    event.preventDefault()
    const next = order[Math.min(order.length - 1, Math.max(0, wanted))]
    if (next) onSelect(next.tile.key)
  }
  return (
    <div ref={ref} className="w-full p-2" style={{ height: height + 16 }}>
      <svg
        width={width} height={height} role="listbox" aria-label={label} tabIndex={0} onKeyDown={onKeyDown} className="keeps-colour block rounded"
        aria-activedescendant={index >= 0 && selected !== null ? `${id}-${selected}` : undefined}
      >
        {leaves.map(({ tile, x0, y0, x1, y1 }) => {
          const isSelected = tile.key === selected
          const [w, h] = [Math.max(0, x1 - x0), Math.max(0, y1 - y0)]
          return (
            <g key={tile.key} id={`${id}-${tile.key}`} role="option" aria-selected={isSelected} aria-label={tile.description} onClick={() => { onSelect(tile.key) }}>
              <title>{tile.description}</title>
              <rect x={x0} y={y0} width={w} height={h} rx={2} className={`${categoryFills[tile.category]} ${isSelected ? '' : 'opacity-85 hover:opacity-100'}`} />
              {isSelected && <rect x={x0 + 1} y={y0 + 1} width={Math.max(0, w - 2)} height={Math.max(0, h - 2)} rx={2} className="fill-none stroke-ink-1" strokeWidth={2.5} />}
              {w > letterWidth * tile.label.length + 8 && h > 18 && <text x={x0 + 5} y={y0 + 14} aria-hidden="true" className="pointer-events-none fill-surface-2 text-xs font-medium">{tile.label}</text>}
            </g>
          )
        })}
      </svg>
    </div>
  )
}

function layout(tiles: readonly Tile[], width: number, height: number): { tile: Tile; x0: number; y0: number; x1: number; y1: number }[] {
  if (width <= 0) return []
  const groups = Map.groupBy(tiles, (tile) => tile.group)
  const root: Branch = { key: '', children: Array.from(groups, ([key, members]) => ({ key, children: members.map((tile) => ({ key: tile.key, tile })) })) }
  const tree = hierarchy<Branch | Leaf>(root, (node) => ('children' in node ? [...(node.children ?? [])] : undefined))
    .sum((node) => ('tile' in node ? node.tile.bytes : 0))
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0))
  const placed: HierarchyRectangularNode<Branch | Leaf> = treemap<Branch | Leaf>().size([width, height]).paddingInner(1).paddingOuter(1.5).tile(treemapSquarify)(tree)
  return placed.leaves().flatMap(({ data, x0, y0, x1, y1 }) => ('tile' in data ? [{ tile: data.tile, x0, y0, x1, y1 }] : []))
}

/** One tile a group, coloured by what most of its bytes are. */
function byGroup(tiles: readonly Tile[]): Tile[] {
  return Array.from(Map.groupBy(tiles, (tile) => tile.group), ([group, members]) => {
    const bytes = members.reduce((sum, tile) => sum + tile.bytes, 0)
    const largest = members.reduce((a, b) => (b.bytes > a.bytes ? b : a))
    return { key: largest.key, label: group, group: 'all', bytes, category: largest.category, description: `${group}: ${String(members.length)} tensors` }
  })
}
