/** @file The selected cell: what this layer costs and loses in this format, beside its other formats. */
import { bytes, digits, withError } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { Facts } from '../../ui/panel.tsx'
import { CellView } from './cell-view.tsx'
import type { SensitivityMap } from './map.ts'

export function CellDetails({ map, unit }: { readonly map: SensitivityMap; readonly unit: string }): React.JSX.Element {
  const cell = useApp((state) => state.cell)
  const layer = useApp((state) => state.open?.summary.layers.find((one) => one.name === cell?.layer))
  const row = map.rows.find((one) => one.layer === cell?.layer)
  if (!cell || !row || !layer) return <p className="text-ink-3">Select a cell of the map to see its numbers. Arrow keys move, Home and End go to the ends of a row.</p>
  const found = row.cells[cell.option]
  const worst = Math.max(...map.options.map((option) => row.cells[option]?.value ?? 0))
  return (
    <div className="flex flex-col gap-4">
      <div>
        <h2 className="font-mono text-sm font-semibold wrap-anywhere">{row.layer}</h2>
        <p className="text-ink-2">in {cell.option}</p>
      </div>
      {found
        ? <Facts rows={[['Loss', `${withError(found.value, found.stderr)} ${unit}`], ['Bytes', bytes(found.bytes)], ['Bits per weight', digits((8 * found.bytes) / layer.elements)], ['Shape', layer.shape.join(' × ')], ['Kind', layer.kind], ['Tied with', layer.ties ?? '–']]} />
        : <p className="text-ink-2">{row.excluded[cell.option] ?? 'Not measured yet.'}</p>}
      {found && <CellView layer={cell.layer} option={cell.option} />}
      <div>
        <h3 className="mb-1.5 text-sm font-medium text-ink-2">This layer in every format</h3>
        <table className="w-full">
          <thead className="sr-only"><tr><th>Format</th><th>Loss, as a bar</th><th>Loss</th></tr></thead>
          <tbody>
            {map.options.filter((option) => row.cells[option]).map((option) => {
              const value = row.cells[option]?.value ?? 0
              return (
                <tr key={option} className={option === cell.option ? 'bg-accent-soft' : ''}>
                  <th scope="row" className="w-20 py-0.5 pr-2 whitespace-nowrap text-left text-sm font-normal">{option}</th>
                  <td className="w-full"><span aria-hidden="true" className="block h-2 rounded-sm bg-cat-1" style={{ width: `${String(Math.max(1, worst > 0 ? Math.sqrt(value / worst) * 100 : 0))}%` }} /></td>
                  <td className="pl-2 text-right text-sm whitespace-nowrap">{digits(value, 2)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
        <p className="mt-1 text-xs text-ink-3">bar length: square root of the loss</p>
      </div>
    </div>
  )
}
