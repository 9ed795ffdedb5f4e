/** @file What the result is judged on: data kept apart, or a part of the calibration data. */
import { attempt, chooseHeldOut } from '../../commands/actions.ts'
import { call } from '../../state/call.ts'
import { Button } from '../../ui/button.tsx'
import { Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'

export function HeldOut({ name, what }: { readonly name: string | null; readonly what: 'text' | 'samples' }): React.JSX.Element {
  return (
    <Panel title={<>Judge the result on<Term name="heldOut" /></>}>
      <p>{name === null ? 'a part of this data that calibration does not use' : <>the {what} <strong className="font-semibold">{name}</strong></>}</p>
      <div className="mt-3 flex flex-wrap gap-2">
        <Button size="small" icon="file" onClick={() => { void chooseHeldOut() }}>Choose held-out {what}…</Button>
        {name !== null && <Button size="small" look="quiet" onClick={() => { void attempt(() => call('data.heldOut', { file: null })) }}>Keep a part of the data apart instead</Button>}
      </div>
    </Panel>
  )
}
