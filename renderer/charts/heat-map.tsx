/**
 * @file The map of losses: a row a layer, a column an option, colour the logarithm of the loss. A grid with one focused cell;
 * only the rows in view are in the page. What is not measured is hatched, not only pale.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useId, useRef } from 'react'
import type { Cell } from '../state/live.ts'
import { bytes, digits, shortName } from '../state/format.ts'
import { css, inkOn, logShare, sequential } from './colour.ts'
import { useDark } from './use-dark.ts'

export interface HeatRow {
  readonly layer: string
  readonly note: string
  readonly cells: Readonly<Record<string, Cell | undefined>>
  /** Options this layer cannot take, with the reason. */
  readonly excluded: Readonly<Record<string, string>>
}

export interface HeatMapProps {
  readonly label: string
  readonly rows: readonly HeatRow[]
  readonly options: readonly string[]
  readonly range: readonly [min: number, max: number]
  readonly selected: { readonly layer: string; readonly option: string } | null
  readonly onSelect: (cell: { layer: string; option: string }) => void
  readonly height: number | string
}

const rowHeight = 26

export function HeatMap({ label, rows, options, range: [min, max], selected, onSelect, height }: HeatMapProps): React.JSX.Element {
  const box = useRef<HTMLDivElement>(null)
  const isDark = useDark()
  const id = useId()
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 10 })
  const [row, column] = [rows.findIndex((one) => one.layer === selected?.layer), options.indexOf(selected?.option ?? '')]
  const template = `minmax(140px,220px) repeat(${String(options.length)}, minmax(52px, 1fr))`

  useEffect(() => {
    if (row >= 0) virtual.scrollToIndex(row)
  }, [row, virtual])

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const [r, c] = [Math.max(0, row), Math.max(0, column)]
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 300) / rowHeight) - 2)
    const moves: Partial<Record<string, [number, number]>> = {
      ArrowDown: [r + 1, c], ArrowUp: [r - 1, c], ArrowRight: [r, c + 1], ArrowLeft: [r, c - 1], Home: [event.ctrlKey ? 0 : r, 0], End: [event.ctrlKey ? rows.length - 1 : r, options.length - 1],
      PageDown: [r + page, c], PageUp: [r - page, c],
    }
    const wanted = moves[event.key]
    if (!wanted || rows.length === 0 || options.length === 0) return
    event.preventDefault()
    const at = <T,>(list: readonly T[], i: number): T | undefined => list[Math.min(list.length - 1, Math.max(0, i))]
    const [next, option] = [at(rows, wanted[0]), at(options, wanted[1])]
    if (next && option !== undefined) onSelect({ layer: next.layer, option })
  }

  return (
    <div
      ref={box} role="grid" aria-label={label} aria-rowcount={rows.length + 1} aria-colcount={options.length + 1} tabIndex={0} onKeyDown={onKeyDown} className="relative overflow-auto -outline-offset-2"
      style={{ height }} aria-activedescendant={row >= 0 && column >= 0 ? `${id}-${String(row)}-${String(column)}` : undefined}
    >
      <div role="row" aria-rowindex={1} className="sticky top-0 z-10 grid min-w-fit border-b border-line bg-surface-2 text-sm font-medium text-ink-2" style={{ gridTemplateColumns: template, height: rowHeight }}>
        <div role="columnheader" className="sticky left-0 flex items-center bg-surface-2 px-2">Layer</div>
        {options.map((option) => <div key={option} role="columnheader" className="flex items-center justify-center truncate px-1">{option}</div>)}
      </div>
      <div role="rowgroup" className="relative min-w-fit" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const shown = rows[item.index]
          if (!shown) return null // the list has become shorter since it was measured
          const { layer, note, cells, excluded } = shown
          return (
            <div key={layer} role="row" aria-rowindex={item.index + 2} className="absolute inset-x-0 grid" style={{ gridTemplateColumns: template, height: item.size, transform: `translateY(${String(item.start)}px)` }}>
              <div role="rowheader" title={note} className={`sticky left-0 z-[1] flex items-center truncate bg-surface-2 px-2 font-mono text-sm ${item.index === row ? 'font-semibold text-ink-1' : 'text-ink-2'}`}>{shortName(layer, 28)}</div>
              {options.map((option, i) => {
                const cell = cells[option]
                const isSelected = item.index === row && i === column
                const colour = cell ? sequential(logShare(cell.value, min, max), isDark) : null
                const why = excluded[option]
                const words = cell ? `${layer}, ${option}: loss ${digits(cell.value, 2)}${cell.stderr > 0 ? ` plus or minus ${digits(cell.stderr, 1)}` : ''}, ${bytes(cell.bytes)}` : `${layer}, ${option}: ${why === undefined ? 'not measured' : `not possible, ${why}`}`
                return (
                  <div
                    key={option} id={`${id}-${String(item.index)}-${String(i)}`} role="gridcell" aria-selected={isSelected} aria-label={words} title={words} onClick={() => { onSelect({ layer, option }) }}
                    className={`keeps-colour tnum relative flex items-center justify-center border-r border-b border-surface-2 text-xs ${cell ? '' : 'hatched text-ink-3'} ${isSelected ? 'z-[1] outline-2 -outline-offset-1 outline-ink-1' : ''}`}
                    style={colour ? { backgroundColor: css(colour), color: inkOn(colour) } : undefined}
                  >
                    {cell ? digits(cell.value, 2) : why === undefined ? '' : '–'}
                  </div>
                )
              })}
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** The colour scale, with its ends in numbers. */
export function HeatScale({ range: [min, max], unit }: { readonly range: readonly [number, number]; readonly unit: string }): React.JSX.Element {
  const isDark = useDark()
  const stops = Array.from({ length: 9 }, (_, i) => css(sequential(i / 8, isDark))).join(', ')
  return (
    <span className="flex flex-wrap items-center gap-2">
      <span className="tnum">{digits(min, 2)}</span>
      <span aria-hidden="true" className="keeps-colour h-3 w-32 rounded-sm" style={{ backgroundImage: `linear-gradient(to right, ${stops})` }} />
      <span className="tnum">{digits(max, 2)} {unit} (log scale)</span>
      <span className="ml-2 flex items-center gap-1.5"><span aria-hidden="true" className="hatched h-3 w-5 rounded-sm border border-line" />not measured</span>
    </span>
  )
}
