/** @file The frame of every chart: a caption computed from the data, and the same data as a table one button away. */
import { useId, useState } from 'react'
import { Button } from '../ui/button.tsx'

export interface ChartFigureProps {
  readonly title: string
  /** One sentence that says what the chart shows; it is also the chart's description for screen readers. */
  readonly caption: React.ReactNode
  readonly children: React.ReactNode
  readonly table: { readonly columns: readonly string[]; readonly rows: () => readonly (readonly (string | number)[])[] }
  readonly actions?: React.ReactNode
  readonly legend?: React.ReactNode
  readonly className?: string
}

export function ChartFigure({ title, caption, children, table, actions, legend, className = '' }: ChartFigureProps): React.JSX.Element {
  const [isTable, setIsTable] = useState(false)
  const captionId = useId()
  return (
    <figure aria-labelledby={captionId} className={`flex min-w-0 flex-col rounded-md border border-line bg-surface-2 ${className}`}>
      <div className="flex min-h-10 flex-wrap items-center justify-between gap-2 border-b border-line px-3 py-1.5">
        <h2 className="font-semibold">{title}</h2>
        <div className="flex flex-wrap items-center gap-2">
          {actions}
          <Button size="small" look="quiet" icon={isTable ? 'chart' : 'table'} onClick={() => { setIsTable(!isTable) }}>{isTable ? 'View as chart' : 'View as table'}</Button>
        </div>
      </div>
      {isTable ? <PlainTable title={title} columns={table.columns} rows={table.rows()} /> : <div className="min-h-0 flex-1">{children}</div>}
      <figcaption id={captionId} className="flex flex-wrap items-center justify-between gap-x-6 gap-y-1 border-t border-line px-3 py-1.5 text-sm text-ink-2">
        <span>{caption}</span>
        {!isTable && legend}
      </figcaption>
    </figure>
  )
}

function PlainTable({ title, columns, rows }: { readonly title: string; readonly columns: readonly string[]; readonly rows: readonly (readonly (string | number)[])[] }): React.JSX.Element {
  return (
    <div className="min-h-0 flex-1 overflow-auto" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
      <table className="w-full border-collapse">
        <thead className="sticky top-0 bg-surface-2">
          <tr>{columns.map((column, i) => <th key={column} scope="col" className={`h-(--row) border-b border-line px-3 text-sm font-medium text-ink-2 ${i === 0 ? 'text-left' : 'text-right'}`}>{column}</th>)}</tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            <tr key={i} className="border-b border-line/60">
              {row.map((cell, j) => (j === 0 ? <th key={j} scope="row" className="h-(--row) px-3 text-left font-normal">{cell}</th> : <td key={j} className="px-3 text-right">{cell}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Colour never alone: each entry of a legend has its shape. */
export function Legend({ entries }: { readonly entries: readonly { readonly label: string; readonly mark: React.ReactNode }[] }): React.JSX.Element {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1">
      {entries.map(({ label, mark }) => <li key={label} className="flex items-center gap-1.5">{mark}{label}</li>)}
    </ul>
  )
}
