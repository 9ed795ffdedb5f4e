/** @file The plan, a row a layer: its format, bytes and share of the loss. Choosing a format pins it; the rest is solved again. */
import { useMemo } from 'react'
import type { Plan } from '../../../electron/contract/engine.ts'
import type { Sensitivity } from '../../../electron/contract/sensitivity.ts'
import { setDraft } from '../../commands/actions.ts'
import { bytes, digits, percent, shortName } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { DataTable, type Column } from '../../ui/data-table.tsx'
import { Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'

interface Row { readonly name: string; readonly option: string; readonly bytes: number; readonly bits: number; readonly loss: number; readonly share: number; readonly isPinned: boolean; readonly options: readonly string[] }

export function PlanTable({ plan, sensitivity }: { readonly plan: Plan; readonly sensitivity: Sensitivity }): React.JSX.Element {
  const pins = useApp((state) => state.open?.project.draft.pins)
  const changed = useApp((state) => state.changed)
  const layers = useApp((state) => state.open?.summary.layers)
  const rows = useMemo(() => {
    const measured = new Map(sensitivity.layers.map((layer) => [layer.name, layer]))
    const elements = new Map(layers?.map((layer) => [layer.name, layer.elements]))
    const loss = plan.recipe.choice.reduce((sum, one) => sum + one.predictedLoss, 0)
    return plan.recipe.choice.map((one): Row => ({
      name: one.name, option: one.option, bytes: one.bytes, bits: (8 * one.bytes) / (elements.get(one.name) ?? 1), loss: one.predictedLoss, share: loss > 0 ? one.predictedLoss / loss : 0,
      isPinned: pins !== undefined && Object.hasOwn(pins, one.name),
      options: [...new Set([one.option, ...Object.keys(measured.get(one.name)?.options ?? {})])],
    }))
  }, [plan, sensitivity, pins, layers])
  const pinCount = rows.filter((row) => row.isPinned).length

  const columns = useMemo((): Column<Row>[] => {
    const pin = (row: Row, option: string): void => { setDraft({ pins: { ...useApp.getState().open?.project.draft.pins, [row.name]: option } }) }
    const unpin = (row: Row): void => { setDraft({ pins: Object.fromEntries(Object.entries(useApp.getState().open?.project.draft.pins ?? {}).filter(([name]) => name !== row.name)) }) }
    return [
      { key: 'name', title: 'Layer', width: 'minmax(150px,1fr)', sort: (row) => row.name, cell: (row) => <span className="font-mono text-sm" title={row.name}>{shortName(row.name, 36)}</span> },
      {
        key: 'option', title: 'Format', width: '132px', sort: (row) => row.bits,
        cell: (row) => (
          <select aria-label={`Format of ${row.name}`} value={row.option} onChange={(event) => { pin(row, event.target.value) }} onClick={(event) => { event.stopPropagation() }} className={`h-6 w-full rounded border bg-surface-2 px-1 text-sm ${row.isPinned ? 'border-accent font-semibold' : 'border-line-strong/60'}`}>
            {row.options.map((option) => <option key={option} value={option}>{option}</option>)}
          </select>
        ),
      },
      {
        key: 'pin', title: 'Pin', width: '44px',
        cell: (row) => <IconButton size="small" icon={row.isPinned ? 'lock' : 'unlock'} label={row.isPinned ? `Unpin ${row.name}` : `Pin ${row.name} to ${row.option}`} isPressed={row.isPinned} onClick={() => { if (row.isPinned) unpin(row); else pin(row, row.option) }} />,
      },
      { key: 'bits', title: 'Bits', width: '60px', align: 'right', sort: (row) => row.bits, cell: (row) => row.bits.toFixed(2) },
      { key: 'bytes', title: 'Bytes', width: '80px', align: 'right', sort: (row) => row.bytes, cell: (row) => bytes(row.bytes) },
      { key: 'loss', title: 'Loss', width: '84px', align: 'right', sort: (row) => row.loss, cell: (row) => digits(row.loss, 2) },
      { key: 'share', title: 'Share', width: '64px', align: 'right', sort: (row) => row.share, cell: (row) => percent(row.share) },
    ]
  }, [])

  return (
    <Panel
      isFlush className="h-[380px]" title={<span className="flex items-center">Layers<Term name="pin" /></span>}
      actions={<>
        <span role="status" className="text-sm text-ink-2">{changed.length > 0 ? `${String(changed.length)} ${changed.length === 1 ? 'layer' : 'layers'} changed` : ''}</span>
        {pinCount > 0 && <Button size="small" icon="unlock" onClick={() => { setDraft({ pins: {} }) }}>Unpin all ({pinCount})</Button>}
      </>}
    >
      <DataTable label="Formats by layer" rows={rows} columns={columns} keyOf={(row) => row.name} rowClass={(row) => (changed.includes(row.name) ? 'flash-row' : '')} />
    </Panel>
  )
}
