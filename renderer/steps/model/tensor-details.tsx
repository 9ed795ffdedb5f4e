/** @file Everything about the selected tensor. */
import type { ModelSummary } from '../../../electron/contract/engine.ts'
import { bytes, count } from '../../state/format.ts'
import { Facts } from '../../ui/panel.tsx'
import { kindOf } from './kinds.ts'

export function TensorDetails({ tensor }: { readonly tensor: ModelSummary['tensors'][number] | undefined }): React.JSX.Element {
  if (!tensor) return <p className="text-ink-3">Select a tensor in the chart or the table to see what is known of it.</p>
  return (
    <div className="flex flex-col gap-3">
      <h2 className="font-mono text-sm font-semibold wrap-anywhere">{tensor.name}</h2>
      <Facts rows={[
        ['Kind', kindOf(tensor.name)], ['Type', tensor.type], ['Shape', tensor.shape.join(' × ')], ['Elements', count(tensor.shape.reduce((a, b) => a * b, 1))], ['Bytes', bytes(tensor.bytes)],
        ['Layers', tensor.layers.length > 0 ? tensor.layers.join(', ') : '–'],
      ]} />
      <p className="text-ink-2">{tensor.reason === null ? 'It can be compressed.' : `It stays as it is: ${tensor.reason}.`}</p>
    </div>
  )
}
