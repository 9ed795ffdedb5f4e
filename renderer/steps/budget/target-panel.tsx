/** @file Where it will be used and how large it may be: a number, a slider and presets for the same target. */
import { setDraft } from '../../commands/actions.ts'
import { bytes } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import { NumberField, Segmented } from '../../ui/fields.tsx'
import { Panel } from '../../ui/panel.tsx'
import { budgetWords, bytesOf, convert, fieldValue, fromField, presets, unitDecimals, unitNames, type Unit } from './budget.ts'
import { TargetChoice } from './target-choice.tsx'

const units: readonly Unit[] = ['bits', 'bytes', 'ratio']

export function TargetPanel(): React.JSX.Element {
  const draft = useApp((state) => state.open?.project.draft)
  const weights = useApp((state) => state.open?.summary.parameters ?? 1)
  const curve = useApp((state) => state.plan?.curve)
  if (!draft) return <></>
  const { budget } = draft
  const size = bytesOf(budget, weights)
  const [low, high] = [curve?.at(0)?.bytes ?? weights * 0.25, curve?.at(-1)?.bytes ?? weights * 2]
  const set = (bytesWanted: number): void => { setDraft({ budget: convert({ kind: 'bytes', value: bytesWanted }, budget.kind, weights) }) }
  return (
    <Panel title="Target">
      <div className="flex flex-col gap-4">
        <TargetChoice />
        <div className="flex flex-col gap-2">
          <NumberField
            label="At most" value={fieldValue(budget)} decimals={unitDecimals[budget.kind]} unit={unitNames[budget.kind]} min={0.01} max={1e7} step={budget.kind === 'bits' ? 0.1 : budget.kind === 'ratio' ? 1 : Math.max(0.1, size / 1e8)}
            onChange={(value) => { setDraft({ budget: fromField(budget.kind, value) }) }}
          />
          <Segmented label="Unit" isLabelHidden size="small" value={budget.kind} onChange={(kind) => { setDraft({ budget: convert(budget, kind, weights) }) }} choices={units.map((unit) => ({ value: unit, label: { bits: 'bpw', bytes: 'MB', ratio: '%' }[unit] }))} />
          <input
            type="range" aria-label="Size on disk" aria-valuetext={bytes(size)} className="mt-1 h-6 w-full" min={Math.floor(low)} max={Math.ceil(high)} step={Math.max(1, Math.round((high - low) / 400))}
            value={Math.min(high, Math.max(low, size))} onChange={(event) => { set(Number(event.target.value)) }}
          />
          <div className="flex justify-between text-sm text-ink-3 tnum"><span>{bytes(low)}</span><span>{bytes(high)}</span></div>
        </div>
        <div>
          <p className="mb-1.5 text-sm font-medium text-ink-2">Presets</p>
          <div className="flex flex-wrap gap-1.5">
            {presets(weights).map(({ label, budget: preset, note }) => (
              <Button key={label} size="small" isPressed={preset.kind === budget.kind && preset.value === budget.value} label={`${label}: ${budgetWords(preset)}, ${note}`} onClick={() => { setDraft({ budget: preset }) }}>{label}</Button>
            ))}
          </div>
        </div>
      </div>
    </Panel>
  )
}
