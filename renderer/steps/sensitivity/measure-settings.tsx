/** @file How to measure. Changing it finds the map measured that way, or asks for a new one; no map is thrown away. */
import { setMeasure } from '../../commands/actions.ts'
import { useApp } from '../../state/store.ts'
import { NumberField, Select } from '../../ui/fields.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Term } from '../../ui/terms.tsx'
import { metrics, roundingWords, wordsOf } from './metrics.ts'

export function MeasureSettings({ isOpen }: { readonly isOpen: boolean }): React.JSX.Element {
  const settings = useApp((state) => state.open?.project.measure)
  if (!settings) return <></>
  const words = wordsOf(settings.metric)
  return (
    <div className="relative">
      <span className="absolute top-2 left-37"><Term name="sensitivity" /></span>
      <details open={isOpen} className="group rounded-md border border-line bg-surface-2">
      <summary className="flex min-h-10 items-center gap-1 px-3 font-semibold"><Icon name="next" className="text-ink-3 group-open:rotate-90" />How to measure</summary>
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3 border-t border-line p-3">
        <div className="min-w-0 flex-[2_1_300px]">
          <Select label="Metric" value={settings.metric} onChange={(metric) => { setMeasure({ metric }) }} choices={Object.entries(metrics).map(([value, { label }]) => ({ value, label }))} hint={`${words.about} Cost: ${words.cost}.`} className="w-full" />
        </div>
        <div className="min-w-0 flex-[1_1_240px]">
          <Select label="Rounding" value={settings.rounder} onChange={(rounder) => { setMeasure({ rounder }) }} choices={(['gptq', 'search', 'nearest'] as const).map((value) => ({ value, label: roundingWords[value].label }))} hint={`${roundingWords[settings.rounder].about} The run will use it too.`} className="w-full" />
        </div>
        <NumberField label="Windows" value={settings.samples} min={1} max={4096} step={8} onChange={(value) => { setMeasure({ samples: Math.round(value) }) }} />
      </div>
      </details>
    </div>
  )
}
