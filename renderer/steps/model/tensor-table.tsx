/** @file The tensors as a sorted table, linked with the treemap by one selection. */
import { useMemo } from 'react'
import type { ModelSummary } from '../../../electron/contract/engine.ts'
import { bytes, shortName } from '../../state/format.ts'
import { DataTable, type Column } from '../../ui/data-table.tsx'

type Tensor = ModelSummary['tensors'][number]

export function TensorTable({ tensors, selected, onSelect }: { readonly tensors: readonly Tensor[]; readonly selected: string | null; readonly onSelect: (name: string) => void }): React.JSX.Element {
  const columns = useMemo((): Column<Tensor>[] => [
    { key: 'name', title: 'Name', width: 'minmax(180px,1fr)', sort: (tensor) => tensor.name, cell: (tensor) => <span className="font-mono text-sm" title={tensor.name}>{shortName(tensor.name, 40)}</span> },
    { key: 'type', title: 'Type', width: '64px', sort: (tensor) => tensor.type, cell: (tensor) => tensor.type },
    { key: 'shape', title: 'Shape', width: '110px', align: 'right', cell: (tensor) => tensor.shape.join(' × ') },
    { key: 'bytes', title: 'Bytes', width: '84px', align: 'right', sort: (tensor) => tensor.bytes, cell: (tensor) => bytes(tensor.bytes) },
    { key: 'use', title: 'Compress', width: '84px', sort: (tensor) => (tensor.reason === null ? 0 : 1), cell: (tensor) => (tensor.reason === null ? 'yes' : <span className="text-ink-3" title={tensor.reason}>no</span>) },
  ], [])
  return <DataTable label="Tensors" rows={tensors} columns={columns} keyOf={(tensor) => tensor.name} selected={selected} onSelect={onSelect} />
}
