/** @file Step 4: how small, at what loss? */
import type { Plan } from '../../../electron/contract/engine.ts'
import { ChartFigure, Legend } from '../../charts/chart-figure.tsx'
import { Pareto } from '../../charts/pareto.tsx'
import { go, measure, setDraft } from '../../commands/actions.ts'
import { runCommand } from '../../commands/table.ts'
import { StepPage } from '../../frame/step-page.tsx'
import { bits, bytes, digits, percent } from '../../state/format.ts'
import { isBusy, measurementOf } from '../../state/steps.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Banner, Empty, Spinner } from '../../ui/feedback.tsx'
import { Figure, Figures, Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { Correction } from './correction.tsx'
import { Impossible } from './impossible.tsx'
import { PlanTable } from './plan-table.tsx'
import { useSolvedPlan } from './solve.ts'
import { TargetChoice, targetNames } from './target-choice.tsx'
import { TargetPanel } from './target-panel.tsx'

export function BudgetStep(): React.JSX.Element {
  useSolvedPlan()
  const sensitivity = useApp((state) => state.open?.sensitivity ?? null)
  const isOfGraph = useApp(isGraph)
  const plan = useApp((state) => state.plan)
  const error = useApp((state) => state.planError)
  const isSolving = useApp((state) => state.isSolving)
  const [past, future] = [useApp((state) => state.history.past.length), useApp((state) => state.history.future.length)]
  return (
    <StepPage
      step="budget" question="How small, at what loss?" next={plan && !error ? <PlanWords plan={plan} isSolving={isSolving} /> : undefined}
      secondary={<>
        <IconButton icon="undo" label="Undo change of plan" reason={past === 0 ? 'Nothing to undo' : null} onClick={() => { runCommand('plan.undo') }} />
        <IconButton icon="redo" label="Redo change of plan" reason={future === 0 ? 'Nothing to redo' : null} onClick={() => { runCommand('plan.redo') }} />
      </>}
      primary={{ label: 'Continue to run', icon: 'next', run: () => { go('run') }, reason: !sensitivity ? 'Measure the layers first' : error ? 'This budget is not possible' : plan ? null : 'Solving' }}
    >
      {sensitivity
        ? (
            <>
              {!sensitivity.complete && <Banner tone="info" title="The map is not complete: layers that were not measured are estimated from their like." />}
              {error && <Impossible error={error} />}
              <div className="grid grid-cols-1 items-start gap-4 @4xl:grid-cols-[300px_minmax(0,1fr)]">
                <div className="flex min-w-0 flex-col gap-4">
                  <TargetPanel />
                  {!isOfGraph && <Correction />}
                </div>
                <div className="flex min-w-0 flex-col gap-4">
                  {plan ? <PlanChart plan={plan} /> : !error && <Panel><Spinner label="Solving" /></Panel>}
                  {plan && <PlanTable plan={plan} sensitivity={sensitivity} />}
                </div>
              </div>
              {plan?.warnings.map((warning) => <Banner key={warning} tone="info" title={warning} />)}
            </>
          )
        : <Unmeasured />}
    </StepPage>
  )
}

/** No map, or none of this target: each stores layers in formats of its own. */
function Unmeasured(): React.JSX.Element {
  const project = useApp((state) => state.open?.project)
  const jobs = useApp((state) => state.jobs)
  const toSensitivity = <Button look="primary" onClick={() => { go('sensitivity') }}>Go to Sensitivity</Button>
  if (!project?.measured) {
    return <Panel><Empty icon="chart" title="A plan needs the sensitivity map" actions={toSensitivity}>Measure once, then try any size: plans are solved in milliseconds.</Empty></Panel>
  }
  const name = targetNames[project.draft.target]
  const job = measurementOf(jobs, project)
  return (
    <div className="grid grid-cols-1 items-start gap-4 @4xl:grid-cols-[300px_minmax(0,1fr)]">
      <Panel title="Target"><TargetChoice /></Panel>
      <Panel>
        {job && isBusy(job)
          ? <Empty icon="chart" title={`The formats of ${name} are being measured`} actions={toSensitivity}>A plan is made as soon as the first layers are known.</Empty>
          : <Empty icon="chart" title={`The formats of ${name} are not measured yet`} actions={<Button look="primary" icon="play" onClick={() => { void measure().then(() => { go('sensitivity') }) }}>Measure them</Button>}>Each target stores layers in formats of its own. What was measured for another target, or with other settings, is kept.</Empty>}
      </Panel>
    </div>
  )
}

function PlanWords({ plan, isSolving }: { readonly plan: Plan; readonly isSolving: boolean }): React.JSX.Element {
  const { sizeBytes, bitsPerWeight } = plan.recipe.predicted
  return <span className={`tnum ${isSolving ? 'opacity-60' : ''}`}>{bytes(sizeBytes)} · {bits(bitsPerWeight)} · solved in {Math.round(plan.elapsedMs)} ms</span>
}

/** The uniform format nearest in size, and how the plan stands beside it. */
function beside(plan: Plan): string {
  const { sizeBytes, loss } = plan.recipe.predicted
  const near = plan.uniform.toSorted((a, b) => Math.abs(a.bytes - sizeBytes) - Math.abs(b.bytes - sizeBytes)).at(0)
  if (!near || near.loss <= 0) return `This plan takes ${bytes(sizeBytes)}.`
  const change = 1 - loss / near.loss
  const size = sizeBytes / near.bytes - 1
  const words = change > 0.005 ? `${percent(change, 0)} less predicted loss` : change < -0.005 ? `${percent(-change, 0)} more predicted loss` : 'the same predicted loss'
  return `This plan has ${words} than ${near.option} for every layer, at ${Math.abs(size) < 0.005 ? 'the same size' : `${percent(Math.abs(size), 0)} ${size < 0 ? 'fewer' : 'more'} bytes`}.`
}

function PlanChart({ plan }: { readonly plan: Plan }): React.JSX.Element {
  const weights = useApp((state) => state.open?.summary.parameters ?? 1)
  const { sizeBytes, bitsPerWeight, loss } = plan.recipe.predicted
  return (
    <>
      <Panel>
        <Figures>
          <Figure value={bytes(sizeBytes)} label={<>Size on disk<Term name="size" /></>} note={`${percent(sizeBytes / (weights * 2), 0)} of 16-bit`} />
          <Figure value={bitsPerWeight.toFixed(2)} label={<>Bits per weight<Term name="bpw" /></>} />
          <Figure value={digits(loss)} label={<>Predicted loss<Term name="loss" /></>} />
        </Figures>
      </Panel>
      <ChartFigure
        title="Best plans by size" caption={beside(plan)}
        table={{
          columns: ['Plan', 'Size', 'Bits per weight', 'Predicted loss'],
          rows: () => [...plan.uniform.map((one) => [`all ${one.option}`, bytes(one.bytes), one.bitsPerWeight.toFixed(2), digits(one.loss)]), ...plan.curve.filter((_, i) => i % Math.ceil(plan.curve.length / 60) === 0).map((one) => ['mixed', bytes(one.bytes), one.bitsPerWeight.toFixed(2), digits(one.loss)])],
        }}
        legend={<Legend entries={[
          { label: 'best mixed plans', mark: <svg width="16" height="8" aria-hidden="true"><path d="M0 4h16" className="stroke-cat-1" strokeWidth="2" /></svg> },
          { label: 'same format for every layer', mark: <svg width="12" height="12" aria-hidden="true"><path d="M6 1l5 5-5 5-5-5z" className="fill-cat-2" /></svg> },
          { label: 'this plan', mark: <svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="5" className="fill-accent" /></svg> },
        ]} />}
      >
        <Pareto plan={plan} onPick={(size) => { setDraft({ budget: { kind: 'bytes', value: Math.round(size) } }) }} />
      </ChartFigure>
    </>
  )
}
