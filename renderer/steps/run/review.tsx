/** @file What exactly will happen, on one page, before it does. */
import { useEffect, useState } from 'react'
import type { Review as ReviewData } from '../../../electron/contract/api.ts'
import type { Plan } from '../../../electron/contract/engine.ts'
import type { Recipe } from '../../../electron/contract/recipe.ts'
import { attempt } from '../../commands/actions.ts'
import { call } from '../../state/call.ts'
import { about, bits, bytes, digits, percent } from '../../state/format.ts'
import { isGraph, useApp } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import { Banner } from '../../ui/feedback.tsx'
import { Facts, Figure, Figures, Panel } from '../../ui/panel.tsx'
import { Term } from '../../ui/terms.tsx'
import { correctionLabel } from '../budget/correction-words.ts'
import { targetNames } from '../budget/target-choice.tsx'
import { roundingWords, wordsOf } from '../sensitivity/metrics.ts'

/** Where it will be written and whether there is room; asked again when the plan or the folder changes. */
export function useReview(plan: Plan | null): ReviewData | null {
  const draft = useApp((state) => state.open?.project.draft)
  const folder = useApp((state) => state.app?.outputFolder)
  const finished = useApp((state) => state.jobs.filter((job) => job.endedAt !== null).length)
  const [review, setReview] = useState<ReviewData | null>(null)
  useEffect(() => {
    if (!draft || !plan) return
    const state = { isCurrent: true }
    void call('run.review', draft).then((next) => { if (state.isCurrent) setReview(next) }, () => undefined) // the plan's own error is shown already
    return () => { state.isCurrent = false }
  }, [draft, plan, folder, finished])
  return review
}

const calibrationWords = ({ samples, length }: NonNullable<Recipe['data']>, isOfGraph: boolean): string => (isOfGraph ? `${String(samples)} samples` : `${String(samples)} windows of ${String(length)} tokens`)

export function Review({ plan, review, replace, onReplace }: { readonly plan: Plan; readonly review: ReviewData | null; readonly replace: boolean; readonly onReplace: (replace: boolean) => void }): React.JSX.Element {
  const { recipe } = plan
  const { predicted, choice, data } = recipe
  const isOfGraph = useApp(isGraph)
  const groups = [...Map.groupBy(choice, (one) => one.option)].map(([option, layers]) => ({ option, layers: layers.length, bytes: layers.reduce((sum, one) => sum + one.bytes, 0) })).sort((a, b) => b.bytes - a.bytes)
  const isTight = review !== null && review.diskFreeBytes < review.diskNeededBytes
  const memoryTight = review !== null && predicted.peakMemoryBytes > review.memoryTotalBytes * 0.8
  return (
    <>
      {isTight && <Banner tone="warn" title={`The disk has ${bytes(review.diskFreeBytes)} free; this needs ${bytes(review.diskNeededBytes)}.`}>If you start, it waits and goes on by itself once there is room.</Banner>}
      {memoryTight && <Banner tone="warn" title={`This needs about ${bytes(predicted.peakMemoryBytes)} of memory, of ${bytes(review.memoryTotalBytes)}.`}>Close other programs, or set a lower memory limit in Settings.</Banner>}
      <Panel>
        <Figures>
          <Figure value={bytes(predicted.sizeBytes)} label={<>Size on disk<Term name="size" /></>} note={bits(predicted.bitsPerWeight)} />
          <Figure value={about(predicted.elapsedMs)} label="Time, predicted" />
          <Figure value={bytes(predicted.peakMemoryBytes)} label="Memory, predicted" />
          <Figure value={review ? bytes(review.diskNeededBytes) : '…'} label="Disk needed" note={review ? `${bytes(review.diskFreeBytes)} free` : undefined} tone={isTight ? 'text-warn' : ''} />
          <Figure value={digits(predicted.loss)} label={<>Predicted loss<Term name="loss" /></>} />
        </Figures>
      </Panel>
      <div className="grid gap-4 @4xl:grid-cols-2">
        <Panel title="What is written" actions={<Button size="small" icon="folder" onClick={() => { void attempt(() => call('settings.outputFolder')) }}>Change folder…</Button>}>
          <p className="font-mono text-sm wrap-anywhere">{review?.out ?? '…'}</p>
          {review?.exists === true && (
            <fieldset className="mt-3 flex flex-col gap-1.5">
              <legend className="mb-1 text-warn">There is a folder of this name already.</legend>
              <label className="flex items-center gap-2"><input type="radio" name="exists" checked={!replace} onChange={() => { onReplace(false) }} />Write beside it, under a new name</label>
              <label className="flex items-center gap-2"><input type="radio" name="exists" checked={replace} onChange={() => { onReplace(true) }} />Write into it</label>
            </fieldset>
          )}
          <div className="mt-3 border-t border-line pt-3">
            <Facts rows={[
              ['Format', targetNames[recipe.target]], ['Rounding', roundingWords[recipe.rounder].label], ['Correction', correctionLabel(recipe.correction)], ['Measured by', wordsOf(recipe.metric).label],
              ['Calibration', data ? calibrationWords(data, isOfGraph) : 'none'], ['Seed', String(recipe.seed)],
            ]} />
          </div>
        </Panel>
        <Panel title="Formats in this plan">
          <table className="w-full">
            <thead><tr className="text-sm text-ink-2"><th scope="col" className="h-(--row) text-left font-medium">Format</th><th scope="col" className="text-right font-medium">Layers</th><th scope="col" className="text-right font-medium">Bytes</th><th scope="col" className="text-right font-medium">Share</th></tr></thead>
            <tbody>
              {groups.map(({ option, layers, bytes: size }) => (
                <tr key={option} className="border-t border-line/60"><th scope="row" className="h-(--row) text-left font-normal">{option}</th><td className="text-right">{layers}</td><td className="text-right">{bytes(size)}</td><td className="text-right">{percent(size / predicted.sizeBytes, 0)}</td></tr>
              ))}
            </tbody>
          </table>
        </Panel>
      </div>
    </>
  )
}
