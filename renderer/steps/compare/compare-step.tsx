/** @file Step 6: is it good enough? */
import { useMemo } from 'react'
import { ChartFigure, Legend } from '../../charts/chart-figure.tsx'
import { Scatter } from '../../charts/scatter.tsx'
import { go, startRun } from '../../commands/actions.ts'
import { StepPage } from '../../frame/step-page.tsx'
import { bytes, digits, left, percent } from '../../state/format.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { isBusy } from '../../state/steps.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, Progress } from '../../ui/feedback.tsx'
import { Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { useSolvedPlan } from '../budget/solve.ts'
import { CompareTable } from './compare-table.tsx'
import { ErrorChart } from './error-chart.tsx'
import { Generations } from './generations.tsx'
import { Limits } from './limits.tsx'
import { isClear, subjectsOf, type Subject } from './subjects.ts'

export function CompareStep(): React.JSX.Element {
  useSolvedPlan()
  const open = useApp((state) => state.open)
  const jobs = useApp((state) => state.jobs)
  const subjects = useMemo(() => (open ? subjectsOf(open, jobs) : []), [open, jobs])
  if (!open) return <></>
  const original = subjects.find((one) => one.kind === 'original')
  const run = subjects.find((one) => one.kind === 'run')
  const isOfGraph = useApp(isGraph)
  const working = jobs.filter((job) => job.project === open.project.id && isBusy(job) && (job.request.kind === 'evaluate' || (job.request.kind === 'run' && job.request.uniform !== null)))
  return (
    <StepPage
      step="compare" question="Is it good enough?" secondary={run && <Baseline run={run} made={subjects.flatMap(({ kind, name }) => (kind === 'uniform' ? [name] : []))} isBusy={working.some((job) => job.request.kind === 'run')} />}
      primary={{ label: 'Continue to export', icon: 'next', run: () => { go('export') }, reason: run ? null : 'Nothing has been compressed yet' }}
    >
      {working.map((job) => (
        <div key={job.id} className="flex flex-wrap items-center gap-3 rounded-md border border-line bg-surface-2 px-3 py-2">
          <span className="min-w-0 flex-[0_1_16rem] truncate font-medium">{job.title}</span><span className="min-w-32 flex-1"><Progress label={job.title} share={job.total > 0 ? job.done / job.total : null} /></span><span className="w-28 text-right text-ink-2 tnum">{left(job.remainingMs)}</span>
        </div>
      ))}
      {run && original
        ? (
            <>
              <Limits run={run} original={original} />
              <Panel title="Side by side" isFlush>
                <CompareTable subjects={subjects} original={original} />
              </Panel>
              <SizeQuality subjects={subjects} />
              <ErrorChart run={run} baseline={subjects.find((one) => one.kind === 'uniform')} />
              {!isOfGraph && <Generations subjects={subjects} />}
            </>
          )
        : <Panel><Empty icon="chart" title="Run a plan to compare" actions={<Button look="primary" onClick={() => { go('run') }}>Go to Run</Button>}>So far there is only the original. Once a plan has run, its file is measured against it here.</Empty></Panel>}
    </StepPage>
  )
}

/** Offers the honest baseline: one format for every layer, of those not `made` yet the nearest to the run's size. */
function Baseline({ run, made, isBusy: isMaking }: { readonly run: Subject; readonly made: readonly string[]; readonly isBusy: boolean }): React.JSX.Element | null {
  const plan = useApp((state) => state.plan)
  const near = plan?.uniform.filter(({ option }) => !made.includes(`all ${option}`)).sort((a, b) => Math.abs(a.bytes - run.sizeBytes) - Math.abs(b.bytes - run.sizeBytes)).at(0)
  if (!near) return null
  return (
    <span className="flex items-center">
      <Button icon="plus" reason={isMaking ? 'The baseline is being made' : null} onClick={() => { void startRun({ replace: false, uniform: near.option, show: false }) }}>{made.length > 0 ? `Another baseline: all ${near.option}` : `Make the baseline: all ${near.option}`}</Button>
      <Term name="uniform" />
    </span>
  )
}

function SizeQuality({ subjects }: { readonly subjects: readonly Subject[] }): React.JSX.Element | null {
  const marks = subjects.flatMap(({ id, name, kind, sizeBytes, klMean, klStderr }) => (klMean === null ? [] : [{ key: id, label: name, kind, sizeBytes, value: klMean, stderr: klStderr ?? 0 }]))
  const runs = subjects.filter((one) => one.klMean !== null && one.kind !== 'original')
  const [first, second] = runs
  if (!first) return null
  const caption = second && first.klMean !== null && second.klMean !== null
    ? isClear(first.klMean, first.klStderr ?? 0, second.klMean, second.klStderr ?? 0)
      ? `${second.name} is ${second.klMean < first.klMean ? 'nearer to' : 'farther from'} the original than ${first.name}: KL ${digits(second.klMean)} against ${digits(first.klMean)}.`
      : `No clear difference between ${first.name} and ${second.name}.`
    : 'The lower and the farther left, the better.'
  return (
    <ChartFigure
      title="Size and quality" caption={caption}
      table={{ columns: ['Model', 'Size', 'Mean KL', 'Same most likely token'], rows: () => subjects.map((one) => [one.name, bytes(one.sizeBytes), one.klMean === null ? '–' : digits(one.klMean), one.sameTop === null ? '–' : percent(one.sameTop)]) }}
      legend={<Legend entries={[
        { label: 'original', mark: <svg width="12" height="12" aria-hidden="true"><rect x="1" y="1" width="10" height="10" className="fill-cat-6" /></svg> },
        { label: 'same format for every layer', mark: <svg width="12" height="12" aria-hidden="true"><path d="M6 0l6 6-6 6-6-6z" className="fill-cat-2" /></svg> },
        { label: 'your runs', mark: <svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="6" className="fill-accent" /></svg> },
      ]} />}
    >
      <Scatter marks={marks} label="KL divergence by size" axis={{ label: 'mean KL divergence', format: (value) => digits(value, 2) }} />
    </ChartFigure>
  )
}
