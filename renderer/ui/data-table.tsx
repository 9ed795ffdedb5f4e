/**
 * @file A table of any length: only the rows in view are in the page. One row is selected; arrows, Home, End and Page keys move
 * it. Headers sort. Row counts and indices are given to screen readers by hand, as most rows are not there.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useId, useMemo, useRef, useState } from 'react'
import { Icon } from './icon.tsx'

export interface Column<Row> {
  readonly key: string
  readonly title: React.ReactNode
  /** CSS grid track, such as `1fr` or `90px`. */
  readonly width: string
  readonly align?: 'right'
  readonly cell: (row: Row) => React.ReactNode
  /** Given, the header sorts by it. */
  readonly sort?: (row: Row) => string | number
}

export interface DataTableProps<Row> {
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly keyOf: (row: Row) => string
  readonly selected?: string | null
  readonly onSelect?: (key: string) => void
  readonly rowClass?: (row: Row) => string
  readonly height?: string
}

export function DataTable<Row>({ label, rows, columns, keyOf, selected = null, onSelect, rowClass, height = '100%' }: DataTableProps<Row>): React.JSX.Element {
  const [order, setOrder] = useState<{ key: string; isDown: boolean } | null>(null)
  const box = useRef<HTMLDivElement>(null)
  const id = useId()
  const sorted = useMemo(() => {
    const by = columns.find((column) => column.key === order?.key)?.sort
    if (!by || !order) return rows
    const sign = order.isDown ? -1 : 1
    return rows.map((row) => [by(row), row] as const).sort(([a], [b]) => sign * (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row)
  }, [rows, columns, order])
  const density = document.documentElement.dataset.density
  const rowHeight = density === 'comfortable' ? 36 : 28
  const virtual = useVirtualizer({ count: sorted.length, getScrollElement: () => box.current, estimateSize: () => rowHeight, overscan: 12 })
  const index = selected === null ? -1 : sorted.findIndex((row) => keyOf(row) === selected)
  const template = columns.map((column) => column.width).join(' ')

  useEffect(() => { // a selection made elsewhere (in the chart) comes into view
    if (index >= 0) virtual.scrollToIndex(index)
  }, [index, virtual])

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 300) / rowHeight) - 2)
    const moves: Partial<Record<string, number>> = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: sorted.length - 1, PageDown: index + page, PageUp: index - page }
    const wanted = moves[event.key]
    if (wanted === undefined || sorted.length === 0 || !onSelect) return
    event.preventDefault()
    const next = sorted[Math.min(sorted.length - 1, Math.max(0, wanted))]
    if (next !== undefined) onSelect(keyOf(next))
  }

  return (
    <div
      ref={box} role={onSelect ? 'grid' : 'table'} aria-label={label} aria-rowcount={sorted.length + 1} aria-colcount={columns.length} tabIndex={0} onKeyDown={onKeyDown}
      aria-activedescendant={index >= 0 ? `${id}-${String(index)}` : undefined} className="relative min-h-0 overflow-auto -outline-offset-2" style={{ height }}
    >
      <div role="row" aria-rowindex={1} className="sticky top-0 z-10 grid border-b border-line bg-surface-2 text-sm text-ink-2" style={{ gridTemplateColumns: template, minHeight: rowHeight }}>
        {columns.map((column) => (
          <div key={column.key} role="columnheader" aria-sort={order?.key === column.key ? (order.isDown ? 'descending' : 'ascending') : undefined} className={`flex items-center px-2 ${column.align === 'right' ? 'justify-end' : ''}`}>
            {column.sort
              ? (
                  <button
                    type="button" className="inline-flex min-h-6 items-center gap-0.5 rounded font-medium hover:text-ink-1"
                    onClick={() => { setOrder(order?.key !== column.key ? { key: column.key, isDown: column.align === 'right' } : order.isDown === (column.align === 'right') ? { key: column.key, isDown: !order.isDown } : null) }}
                  >
                    {column.title}
                    {order?.key === column.key && <Icon name={order.isDown ? 'down' : 'up'} size={12} />}
                  </button>
                )
              : <span className="font-medium">{column.title}</span>}
          </div>
        ))}
      </div>
      <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = sorted[item.index]
          if (row === undefined) return null // the list has become shorter since it was measured
          const isSelected = item.index === index
          return (
            <div
              key={keyOf(row)} id={`${id}-${String(item.index)}`} role="row" aria-rowindex={item.index + 2} aria-selected={onSelect ? isSelected : undefined} onClick={() => onSelect?.(keyOf(row))}
              className={`absolute inset-x-0 grid items-center border-b border-line/60 ${isSelected ? 'bg-accent-soft' : onSelect ? 'hover:bg-surface-3' : ''} ${rowClass?.(row) ?? ''}`}
              style={{ gridTemplateColumns: template, height: item.size, transform: `translateY(${String(item.start)}px)` }}
            >
              {columns.map((column) => <div key={column.key} role={onSelect ? 'gridcell' : 'cell'} className={`min-w-0 truncate px-2 ${column.align === 'right' ? 'text-right tnum' : ''}`}>{column.cell(row)}</div>)}
            </div>
          )
        })}
      </div>
    </div>
  )
}
