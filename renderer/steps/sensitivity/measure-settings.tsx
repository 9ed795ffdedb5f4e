/** @file How to measure. Changing it finds the map measured that way, or asks for a new one; no map is thrown away. */
import { setMeasure } from '../../commands/actions.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { NumberField, Select, Switch } from '../../ui/fields.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { metrics, roundingWords, usualMetric, wordsOf } from './metrics.ts'

const rounders = ['guided', 'gptq', 'search', 'nearest'] as const
const graphRounders = rounders.filter((name) => name !== 'guided')

export function MeasureSettings({ isOpen }: { readonly isOpen: boolean }): React.JSX.Element {
  const settings = useApp((state) => state.open?.project.measure)
  const isOfGraph = useApp(isGraph)
  const recommended = useApp((state) => state.open?.summary.graph?.metric ?? usualMetric)
  const isDataFree = useApp((state) => state.open?.project.data === null && state.open.project.withoutData)
  if (!settings) return <></>
  if (isDataFree) {
    return (
      <Panel title="How to measure">
        <div className="flex flex-col gap-3">
          <p className="text-ink-2">Without data there is one metric: {wordsOf('sqnr').label.toLowerCase()}, of the weights alone. Choose data in the Data step for the others.</p>
          <Select label="Rounding" value={settings.rounder === 'nearest' ? 'nearest' : 'search'} onChange={(rounder) => { setMeasure({ rounder }) }} choices={(['search', 'nearest'] as const).map((value) => ({ value, label: roundingWords[value].choice }))} hint={`${roundingWords[settings.rounder === 'nearest' ? 'nearest' : 'search'].about} The run will use it too.`} />
        </div>
      </Panel>
    )
  }
  const words = wordsOf(settings.metric)
  return (
    <div className="relative">
      <span className="absolute top-2 right-3"><Term name="sensitivity" /></span>
      <details open={isOpen} className="group rounded-md border border-line bg-surface-2">
      <summary className="flex min-h-10 items-center gap-1 px-3 font-semibold"><Icon name="next" className="text-ink-3 group-open:rotate-90" />How to measure</summary>
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3 border-t border-line p-3">
        <div className="min-w-0 flex-[2_1_300px]">
          <Select label="Metric" value={settings.metric} onChange={(metric) => { setMeasure({ metric }) }} choices={Object.entries(metrics).map(([value, { label }]) => ({ value, label: value === recommended ? `${label} (recommended)` : label }))} hint={`${words.about} Cost: ${words.cost}.`} className="w-full" />
        </div>
        <div className="min-w-0 flex-[1_1_240px]">
          <Select label="Rounding" value={settings.rounder} onChange={(rounder) => { setMeasure({ rounder }) }} choices={(isOfGraph ? graphRounders : rounders).map((value) => ({ value, label: roundingWords[value].choice }))} hint={`${roundingWords[settings.rounder].about} The run will use it too.`} className="w-full" />
        </div>
        {!isOfGraph && <div className="flex-[1_1_100%]">
          <Switch label="Measure low-rank corrections too" isOn={settings.correction === 'eora'} onChange={(isOn) => { setMeasure({ correction: isOn ? 'eora' : 'none' }) }} hint="Each format also with adapters of five ranks: the plan may then spend bytes on a rank in place of bits. About twice the time." />
        </div>}
        <NumberField label={isOfGraph ? 'Samples' : 'Windows'} value={settings.samples} min={1} max={4096} step={8} onChange={(value) => { setMeasure({ samples: Math.round(value) }) }} />
      </div>
      </details>
    </div>
  )
}
