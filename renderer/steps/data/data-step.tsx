/** @file Step 2: does this data look like what the model will meet? */
import type { DataPreview } from '../../../electron/contract/engine.ts'
import { ChartFigure } from '../../charts/chart-figure.tsx'
import { Histogram } from '../../charts/histogram.tsx'
import { chooseData, go, goOnWithBundledText, goOnWithoutData, goWithoutData, setMeasure, useBundledText } from '../../commands/actions.ts'
import { StepPage, type Primary } from '../../frame/step-page.tsx'
import { about, count, percent } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { useMeasureTime } from '../../state/use-measure-time.ts'
import { Button } from '../../ui/button.tsx'
import { Banner, Empty } from '../../ui/feedback.tsx'
import { NumberField } from '../../ui/fields.tsx'
import { Figure, Figures, Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { GraphData, NoGraphData } from './graph-data.tsx'
import { HeldOut } from './held-out.tsx'
import { Samples } from './samples.tsx'

export function DataStep(): React.JSX.Element {
  const project = useApp((state) => state.open?.project)
  const preview = useApp((state) => state.open?.preview ?? null)
  const graph = useApp((state) => state.open?.summary.graph)
  const data = project?.data ?? null
  const isWithout = project?.withoutData === true && data === null
  return (
    <StepPage
      step="data" question="Does this data look like what the model will meet?" next={data || isWithout ? 'Next: measure which layers mind' : graph ? 'Samples of your own lose less at the same size' : 'Text of your own loses less at the same size'}
      secondary={data && <Button onClick={() => { void chooseData('data') }}>Choose other data…</Button>}
      primary={primaryOf(data !== null || isWithout, graph !== undefined, data && preview ? preview.bad.length : 0)}
    >
      {data && preview && project
        ? preview.graph
          ? <GraphData preview={preview} graph={preview.graph} data={data} samples={project.measure.samples} />
          : <TextData preview={preview} heldOut={data.heldOut?.name ?? null} name={data.name} samples={project.measure.samples} length={project.measure.length} />
        : (
            <Panel>
              {isWithout && (
                <div className="mb-2">
                  <Banner tone="info" title="Going on without data: layers are measured by their weights alone.">
                    {graph
                      ? 'Rounding is to nearest or searched, and the result is not compared with the original. With samples the same size loses less.'
                      : 'Rounding is to nearest or searched, without corrections, and the result is judged on the bundled English text. With text of your own the same size loses less.'}
                  </Banner>
                </div>
              )}
              {graph ? <NoGraphData graph={graph} /> : <NoText isWithout={isWithout} />}
            </Panel>
          )}
    </StepPage>
  )
}

/** Goes on in any case: with what was chosen, else with what needs no choice. */
function primaryOf(isChosen: boolean, isGraph: boolean, bad: number): Primary {
  if (isChosen) return { label: bad === 0 ? 'Continue to sensitivity' : `Leave out ${bad === 1 ? '1 row' : `${String(bad)} rows`} and continue`, icon: 'next', run: () => { go('sensitivity') } }
  return isGraph
    ? { label: 'Continue without data', icon: 'next', run: () => { void goOnWithoutData() } }
    : { label: 'Continue with the bundled text', icon: 'next', run: () => { void goOnWithBundledText() } }
}

function NoText({ isWithout }: { readonly isWithout: boolean }): React.JSX.Element {
  return (
    <Empty
      icon="file" title="Choose calibration data"
      actions={<>
        <Button icon="file" onClick={() => { void chooseData('data') }}>Choose file…</Button>
        <Button icon="folder" onClick={() => { void chooseData('data-folder') }}>Choose folder…</Button>
        <Button icon="check" onClick={() => { void useBundledText() }}>Use the bundled text</Button>
        {!isWithout && <Button look="quiet" onClick={() => { void goWithoutData() }}>Continue without data</Button>}
      </>}
    >
      <p>A few hundred kilobytes of text like what the model will meet: plain text, JSONL, CSV, Parquet, or a folder of them. Drop it anywhere in this window.</p>
      <p className="mt-2">No data? The bundled text is general English. It serves most chat models well; text of your own kind serves better.</p>
    </Empty>
  )
}

function TextData({ preview, heldOut, name, samples, length }: { readonly preview: DataPreview; readonly heldOut: string | null; readonly name: string; readonly samples: number; readonly length: number }): React.JSX.Element {
  const { rows, tokens, windows, duplicates, bad, lengths, kind } = preview
  const isShort = windows < samples
  const time = useMeasureTime()
  return (
    <>
      {bad.length > 0 && (
        <Banner tone="warn" title={`${String(bad.length)} of ${count(rows)} rows cannot be used`}>
          <ul className="list-inside list-disc">{bad.slice(0, 5).map((one) => <li key={one.row}>row {one.row}: {one.reason}</li>)}</ul>
          {bad.length > 5 && <p>and {bad.length - 5} more</p>}
        </Banner>
      )}
      {isShort && <Banner tone="info" title={`The text holds ${String(windows)} windows of ${String(length)} tokens; all of them are used.`}>{String(samples)} were asked for. More text makes the measurement steadier.</Banner>}
      <Panel title={name}>
        <Figures>
          <Figure value={kind} label="Format" />
          <Figure value={count(rows)} label="Rows" />
          <Figure value={count(tokens)} label="Tokens" />
          <Figure value={count(windows)} label={<>Windows of {length}<Term name="window" /></>} />
          <Figure value={duplicates === 0 ? 'none' : `${count(duplicates)} (${percent(duplicates / Math.max(1, rows))})`} label="Duplicate rows" tone={duplicates > rows / 10 ? 'text-warn' : ''} />
        </Figures>
      </Panel>
      <div className="grid grid-cols-1 gap-4 @4xl:grid-cols-[minmax(0,1fr)_360px]">
        <Panel title="As the model sees it"><Samples samples={preview.samples} /></Panel>
        <div className="flex min-w-0 flex-col gap-4">
          <Panel title={<>How much is used<Term name="calibration" /></>}>
            <div className="flex flex-wrap gap-6">
              <NumberField label="Windows" value={samples} min={1} max={4096} step={8} onChange={(value) => { setMeasure({ samples: Math.round(value) }) }} />
              <NumberField label="Tokens in a window" value={length} min={16} max={8192} step={64} onChange={(value) => { setMeasure({ length: Math.round(value) }) }} />
            </div>
            <p className="mt-3 text-sm text-ink-2">{count(Math.min(samples, windows) * length)} tokens in all. Twice the windows take about twice the time and change little beyond 128.</p>
            <p className="mt-1 min-h-4.5 text-sm font-medium">{time !== null && `Measuring takes ${about(time)}.`}</p>
          </Panel>
          <HeldOut name={heldOut} what="text" />
          {lengths.length > 0 && (
            <ChartFigure
              title="Row lengths" caption={`Rows hold ${count(Math.round(tokens / Math.max(1, rows)))} tokens on average.`}
              table={{ columns: ['Up to, tokens', 'Rows'], rows: () => lengths.map((one) => [count(one.upTo), count(one.count)]) }}
            >
              <div className="p-3"><Histogram label="Rows by length in tokens" unit="rows" bars={lengths.map((one) => ({ label: `≤ ${count(one.upTo)}`, count: one.count }))} /></div>
            </ChartFigure>
          )}
        </div>
      </div>
    </>
  )
}
