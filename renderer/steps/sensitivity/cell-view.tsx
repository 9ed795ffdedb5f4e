/** @file The selected cell's weights: their spread with the grid of one group, and how the error differs between groups. */
import { useEffect, useState } from 'react'
import type { CellView as View } from '../../../electron/contract/engine.ts'
import type { AppErrorFields } from '../../../electron/contract/errors.ts'
import { ChartFigure, Legend } from '../../charts/chart-figure.tsx'
import { Histogram } from '../../charts/histogram.tsx'
import { WeightHistogram } from '../../charts/weight-histogram.tsx'
import { call, fieldsOf } from '../../state/call.ts'
import { digits, percent } from '../../state/format.ts'
import { Spinner } from '../../ui/feedback.tsx'
import { groupWords, middleOf, sampleWords } from './cell-words.ts'

/** Arrow keys run over many cells; the one that is rested on is looked at. */
const settleMs = 150

type Seen = { readonly key: string } & ({ readonly view: View } | { readonly error: AppErrorFields })

function useCellView(layer: string, option: string): Seen | null {
  const key = `${layer} ${option}`
  const [seen, setSeen] = useState<Seen | null>(null)
  useEffect(() => {
    const state = { isCurrent: true }
    const look = async (): Promise<void> => {
      try {
        const view = await call('map.cell', { layer, option })
        if (state.isCurrent) setSeen({ key, view })
      } catch (cause) {
        if (state.isCurrent) setSeen({ key, error: fieldsOf(cause) })
      }
    }
    const timer = setTimeout(() => { void look() }, settleMs)
    return () => {
      state.isCurrent = false
      clearTimeout(timer)
    }
  }, [key, layer, option])
  return seen?.key === key ? seen : null
}

export function CellView({ layer, option }: { readonly layer: string; readonly option: string }): React.JSX.Element {
  const seen = useCellView(layer, option)
  if (!seen) return <Spinner label="Looking at the weights" />
  if ('error' in seen) return <p role="alert" className="text-bad">{seen.error.message}</p>
  const { view } = seen
  const { weights, levels, sample, errors, group } = view
  return (
    <>
      <ChartFigure
        title="Weights and grid" caption={`One group of ${String(group)} weights with the ${String(levels.length)} values it takes. ${sampleWords(view)}`}
        table={{ columns: ['Weight about', 'Count'], rows: () => weights.counts.map((count, i) => [digits(middleOf(weights, i)), count.toLocaleString('en-US')]) }}
        legend={<Legend entries={[
          { label: 'all weights', mark: <svg width="12" height="12" aria-hidden="true"><rect x="1" y="2" width="10" height="10" className="fill-cat-1" /></svg> },
          { label: 'values of the group', mark: <svg width="12" height="12" aria-hidden="true"><path d="M6 0v12" className="stroke-cat-2" strokeWidth="2" /></svg> },
          { label: 'its weights', mark: <svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="2.5" className="fill-ink-1" /></svg> },
        ]} />}
      >
        <div className="p-2"><WeightHistogram label={`Weights of ${layer} and the values of a group in ${option}`} bins={weights} levels={levels} sample={sample} /></div>
      </ChartFigure>
      <ChartFigure
        title="Error by group" caption={`The weights move by ${percent(view.relativeError)} of their size. ${groupWords(errors)}`}
        table={{ columns: ['Error about', 'Groups'], rows: () => errors.counts.map((count, i) => [percent(middleOf(errors, i)), count.toLocaleString('en-US')]) }}
      >
        <div className="p-2"><Histogram label={`Groups by relative error in ${option}`} unit="groups" height={90} bars={errors.counts.map((count, i) => ({ label: percent(middleOf(errors, i), 0), count }))} /></div>
      </ChartFigure>
    </>
  )
}
