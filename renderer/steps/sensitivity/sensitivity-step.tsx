/** @file Step 3: which layers mind being compressed? */
import { useMemo, useState } from 'react'
import type { JobRecord } from '../../../electron/contract/job.ts'
import { ChartFigure } from '../../charts/chart-figure.tsx'
import { HeatMap, HeatScale } from '../../charts/heat-map.tsx'
import { go, measure, onJob, setMeasure } from '../../commands/actions.ts'
import { StepPage, type Primary } from '../../frame/step-page.tsx'
import { about, bytes, digits, percent, shortName } from '../../state/format.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { isBusy, measurementOf } from '../../state/steps.ts'
import { useMeasureTime } from '../../state/use-measure-time.ts'
import { Button } from '../../ui/button.tsx'
import { Empty } from '../../ui/feedback.tsx'
import { Segmented } from '../../ui/fields.tsx'
import { Panel } from '../../ui/panel.tsx'
import { TargetChoice } from '../budget/target-choice.tsx'
import { BlockDetails } from './block-details.tsx'
import { CellDetails } from './cell-details.tsx'
import { foldBlocks, membersOf, rangeOf } from './fold.ts'
import { buildMap, type SensitivityMap } from './map.ts'
import { MeasureSettings } from './measure-settings.tsx'
import { MeasureStatus } from './measure-status.tsx'
import { wordsOf } from './metrics.ts'

export function SensitivityStep(): React.JSX.Element {
  const open = useApp((state) => state.open)
  const isOfGraph = useApp(isGraph)
  const jobs = useApp((state) => state.jobs)
  const time = useMeasureTime()
  const job = open ? measurementOf(jobs, open.project) : undefined
  const isRunning = job !== undefined && isBusy(job)
  const live = useApp((state) => (job ? state.live[job.id] : undefined))
  const isComplete = open?.sensitivity?.complete === true
  const map = useMemo(() => (open ? buildMap(open, isRunning || !isComplete ? live : undefined) : null), [open, live, isRunning, isComplete])
  if (!open || !map) return <></>
  const { project } = open
  const isDataFree = project.data === null && project.withoutData
  const read = isOfGraph ? 'samples of your data' : 'windows of your text'
  const isPartial = map.measured > 0 && !isComplete
  const isEmpty = map.measured === 0 && !isRunning
  const words = wordsOf(open.sensitivity?.metric ?? (isDataFree ? 'sqnr' : project.measure.metric))
  // The scale is applied at the end: until then the cells hold the plain output error.
  const unit = isRunning && !isDataFree && project.measure.metric === 'kl-scaled' ? 'output error, not scaled yet' : words.unit

  return (
    <StepPage
      step="sensitivity" question="Which layers mind being compressed?" {...primaryOf(map, job, isComplete, project.data !== null || project.withoutData, time)}
      secondary={secondaryOf(job, isPartial, isEmpty && project.data !== null && project.measure.metric !== 'sqnr')}
      details={<div className="flex flex-col gap-6"><Selected map={map} unit={unit} /><Ranking map={map} /></div>}
    >
      <MeasureStatus job={job} map={map} isComplete={isComplete} />
      {isEmpty && <Unmeasured total={map.total} reads={isDataFree ? null : `${String(project.measure.samples)} ${read}`} />}
      {!isRunning && <TargetChoice isWide />}
      {!isRunning && <MeasureSettings isOpen={!isComplete} />}
      {!isEmpty && <MapChart map={map} unit={unit} />}
    </StepPage>
  )
}

/** The block of each layer, null where it is in none. */
function useBlocks(): (layer: string) => number | null {
  const layers = useApp((state) => state.open?.summary.layers)
  const blocks = useMemo(() => new Map(layers?.map(({ name, block }) => [name, block])), [layers])
  return (layer) => blocks.get(layer) ?? null
}

/** What is selected: a layer in a format, or a block of the folded map. */
function Selected({ map, unit }: { readonly map: SensitivityMap; readonly unit: string }): React.JSX.Element {
  const cell = useApp((state) => state.cell)
  const blockOf = useBlocks()
  const members = cell ? membersOf(map.rows, cell.layer, cell.option, blockOf) : undefined
  return cell && members ? <BlockDetails name={cell.layer} option={cell.option} members={members} /> : <CellDetails map={map} unit={unit} />
}

/** The map, a row a layer or a row a block. */
function MapChart({ map, unit }: { readonly map: SensitivityMap; readonly unit: string }): React.JSX.Element {
  const cell = useApp((state) => state.cell)
  const blockOf = useBlocks()
  const [isFolded, setIsFolded] = useState(false)
  const hasBlocks = map.rows.some(({ layer }) => blockOf(layer) !== null)
  const rows = isFolded && hasBlocks ? foldBlocks(map.rows, map.options, blockOf) : map.rows
  const range = rows === map.rows ? map.range : rangeOf(rows)
  return (
    <ChartFigure
      title="Loss of each layer in each format" caption={captionOf(map)} legend={<HeatScale range={range} unit={unit} />}
      actions={hasBlocks && <Segmented label="Rows" isLabelHidden size="small" value={isFolded ? 'blocks' : 'layers'} onChange={(value) => { setIsFolded(value === 'blocks') }} choices={[{ value: 'layers', label: 'Layers' }, { value: 'blocks', label: 'Blocks' }]} />}
      table={{ columns: ['Layer', ...map.options], rows: () => rows.map((row) => [row.layer, ...map.options.map((option) => (row.cells[option] ? digits(row.cells[option].value) : '–'))]) }}
    >
      <HeatMap label="Loss by layer and format" rows={rows} options={map.options} range={range} selected={cell} onSelect={(next) => { useApp.setState({ cell: next, selected: next.layer }) }} height={Math.min(520, 30 + rows.length * 26)} />
    </ChartFigure>
  )
}

/** What measuring is; `reads` says what of the data, null without data. */
function Unmeasured({ total, reads }: { readonly total: number; readonly reads: string | null }): React.JSX.Element {
  return (
    <Panel>
      <Empty icon="table" title="Nothing is measured yet">
        <p>{reads === null ? 'Halftone stores each layer in each format in turn, and notes how far its weights move.' : `Halftone reads ${reads}, stores each layer in each format in turn, and notes how much its output suffers.`} The plan in the next step spends bits by this map.</p>
        <p className="mt-2">{total} layers; you can pause, and continue later. What is set below does well for most models.</p>
      </Empty>
    </Panel>
  )
}

function captionOf({ ranking, measured, total }: SensitivityMap): string {
  const worst = ranking.at(0)
  const part = measured < total ? `${String(measured)} of ${String(total)} layers measured. ` : ''
  return worst ? `${part}Most sensitive: ${worst.layer} at ${worst.option}, loss ${digits(worst.cell.value)}.` : `${part}Waiting for the first layer.`
}

function primaryOf(map: SensitivityMap, job: JobRecord | undefined, isComplete: boolean, hasData: boolean, timeMs: number | null): { primary: Primary; next?: React.ReactNode } {
  if (job && isBusy(job)) {
    const share = job.total > 0 ? `, ${percent(job.done / job.total, 0)} done` : ''
    return { primary: { label: 'Continue to bit budget', icon: 'next', run: () => { go('budget') }, reason: map.measured > 0 ? null : `Measuring${share}` }, next: map.measured > 0 ? 'A partial map can be planned with; the rest is estimated' : undefined }
  }
  if (isComplete) return { primary: { label: 'Continue to bit budget', icon: 'next', run: () => { go('budget') } }, next: 'Next: how small, at what loss' }
  const label = map.measured > 0 ? `Measure the other ${String(map.total - map.measured)} layers` : `Measure ${String(map.total)} layers${timeMs === null || !hasData ? '' : ` · ${about(timeMs)}`}`
  return { primary: { label, icon: 'play', run: () => { void measure() }, reason: hasData ? null : 'Choose data in the Data step first' } }
}

/** What the weights alone tell: a first look in seconds. */
function estimate(): void {
  setMeasure({ metric: 'sqnr', rounder: 'search', correction: 'none' })
  void measure()
}

function secondaryOf(job: JobRecord | undefined, isPartial: boolean, canEstimate: boolean): React.ReactNode {
  if (job && isBusy(job)) {
    return (
      <>
        <Button icon="pause" reason={job.state === 'running' ? null : 'It is stopping already'} onClick={() => { void onJob('job.pause', job.id) }}>Pause</Button>
        <Button icon="stop" reason={job.state === 'cancelling' ? 'It is stopping already' : null} onClick={() => { void onJob('job.cancel', job.id) }}>Cancel</Button>
      </>
    )
  }
  if (canEstimate) return <Button onClick={estimate}>Quick estimate, weights only</Button>
  return isPartial && <Button onClick={() => { go('budget') }}>Plan with what is measured</Button>
}

function Ranking({ map }: { readonly map: SensitivityMap }): React.JSX.Element {
  const worst = map.ranking[0]?.cell.value ?? 1
  return (
    <section aria-labelledby="most-sensitive">
      <h2 id="most-sensitive" className="mb-1 font-semibold">Most sensitive</h2>
      <ol className="-mx-2">
        {map.ranking.slice(0, 10).map(({ layer, option, cell }, i) => (
          <li key={layer}>
            <button type="button" onClick={() => { useApp.setState({ cell: { layer, option }, selected: layer }) }} className="flex min-h-9 w-full items-center gap-2 rounded px-2 py-1 text-left hover:bg-surface-3">
              <span className="w-4 text-right text-sm text-ink-3 tnum">{i + 1}</span>
              <span className="min-w-0 flex-1">
                <span className="block truncate font-mono text-sm" title={layer}>{shortName(layer, 26)}</span>
                <span aria-hidden="true" className="mt-0.5 block h-1 rounded-full bg-cat-1" style={{ width: `${String(Math.max(2, (cell.value / worst) * 100))}%` }} />
              </span>
              <span className="text-right text-sm tnum" title={`${option}, ${bytes(cell.bytes)}`}>{digits(cell.value, 2)}</span>
            </button>
          </li>
        ))}
      </ol>
      <p className="mt-1 text-sm text-ink-3">{map.ranking[0] ? `by loss at ${map.ranking[0].option}` : 'Nothing is measured yet.'}</p>
    </section>
  )
}
