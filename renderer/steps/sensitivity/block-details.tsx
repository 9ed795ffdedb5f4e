/** @file The selected block: its layers in one format, worst first; each leads to its own numbers. */
import type { HeatRow } from '../../charts/heat-map.tsx'
import { digits } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'

export function BlockDetails({ name, option, members }: { readonly name: string; readonly option: string; readonly members: readonly HeatRow[] }): React.JSX.Element {
  return (
    <section>
      <h2 className="font-semibold first-letter:uppercase">{name}</h2>
      <p className="mb-2 text-ink-2">in {option}</p>
      <ul className="-mx-2">
        {members.map(({ layer, cells }) => (
          <li key={layer}>
            <button type="button" onClick={() => { useApp.setState({ cell: { layer, option }, selected: layer }) }} className="flex min-h-7 w-full items-center justify-between gap-2 rounded px-2 text-left hover:bg-surface-3">
              <span className="truncate font-mono text-sm">{layer}</span><span className="text-sm tnum">{cells[option] ? digits(cells[option].value, 2) : '–'}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}
