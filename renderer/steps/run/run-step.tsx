/** @file Step 5: what exactly will happen, and is it happening? */
import { useState } from 'react'
import type { JobRecord } from '../../../electron/contract/job.ts'
import { go, startRun } from '../../commands/actions.ts'
import { StepPage } from '../../frame/step-page.tsx'
import { useApp } from '../../state/store.ts'
import { isBusy, isFinished, isFrom, runsOf } from '../../state/steps.ts'
import { Button } from '../../ui/button.tsx'
import { Banner, Empty, ErrorBanner, Spinner } from '../../ui/feedback.tsx'
import { Panel } from '../../ui/panel.tsx'
import { useSolvedPlan } from '../budget/solve.ts'
import { JobView } from './job-view.tsx'
import { Review, useReview } from './review.tsx'
import { Outcome } from './outcome.tsx'

export function RunStep(): React.JSX.Element {
  useSolvedPlan()
  const open = useApp((state) => state.open)
  const jobs = useApp((state) => state.jobs)
  const plan = useApp((state) => state.plan)
  const error = useApp((state) => state.planError)
  const shown = useApp((state) => state.job)
  const [isNew, setIsNew] = useState(false)
  const [replace, setReplace] = useState(false)
  const review = useReview(plan)
  if (!open) return <></>
  const runs = runsOf(jobs, open.project.id)
  const job = runs.find((one) => one.id === shown) ?? runs.at(0)
  const isStale = job?.request.kind === 'run' && !isFrom(job.request.recipe, open.project.draft)
  const isReview = !job || isNew || (isStale && isFinished(job))
  const others = jobs.filter((one) => isBusy(one) && one.request.kind !== 'generate').length
  const start = (): void => {
    setIsNew(false)
    void startRun({ replace })
  }

  if (!isReview) {
    return (
      <StepPage
        step="run" question="What exactly will happen, and is it happening?" secondary={<Button onClick={() => { setIsNew(true) }}>Plan another run</Button>}
        primary={{ label: 'Continue to compare', icon: 'next', run: () => { go('compare') }, reason: isFinished(job) ? null : reasonOf(job) }}
        next={isBusy(job) ? 'You may leave this page, or close the window: the job goes on' : undefined}
      >
        {isStale && <Banner tone="info" title="The plan was changed since this run." actions={<Button size="small" onClick={() => { setIsNew(true) }}>Review the new plan</Button>} />}
        {isFinished(job) && <Outcome job={job} />}
        <JobView job={job} />
      </StepPage>
    )
  }
  return (
    <StepPage
      step="run" question="What exactly will happen, and is it happening?" secondary={job && isNew && <Button onClick={() => { setIsNew(false) }}>Show the last run</Button>}
      primary={{ label: others > 0 ? 'Add to queue' : 'Start', icon: others > 0 ? 'plus' : 'play', run: start, reason: !open.sensitivity ? 'Measure the layers first' : error ? 'This budget is not possible' : plan ? null : 'Solving' }}
      next={others > 0 ? `${String(others)} ${others === 1 ? 'job is' : 'jobs are'} before it` : undefined}
    >
      {isStale && !isNew && <Banner tone="info" title="The plan was changed since the last run; its results are kept." />}
      {error && <ErrorBanner error={error} actions={<Button size="small" onClick={() => { go('budget') }}>Change the budget</Button>} />}
      {plan
        ? <Review plan={plan} review={review} replace={replace} onReplace={setReplace} />
        : open.sensitivity
          ? !error && <Panel><Spinner label="Solving the plan" /></Panel>
          : <Panel><Empty icon="play" title="There is no plan to run yet" actions={<Button look="primary" onClick={() => { go('sensitivity') }}>Go to Sensitivity</Button>}>Measure the layers and choose a size first.</Empty></Panel>}
    </StepPage>
  )
}

function reasonOf(job: JobRecord): string {
  switch (job.state) {
    case 'waiting': return 'It is waiting for its turn'
    case 'running': case 'pausing': case 'cancelling': return 'It is still running'
    case 'failed': case 'interrupted': case 'paused': case 'cancelled': return 'It is not finished'
    case 'done': case 'done-with-warnings': return ''
    default: return job.state satisfies never
  }
}
