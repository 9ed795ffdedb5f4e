/** @file Where a run errs: the output error of each layer, beside that of a baseline at the same layer. */
import { ChartFigure, Legend } from '../../charts/chart-figure.tsx'
import { Plane } from '../../charts/plane.tsx'
import { digits } from '../../state/format.ts'
import { useApp } from '../../state/store.ts'
import { useJobLive } from '../../state/use-job-live.ts'
import { layerErrors } from './layer-errors.ts'
import type { Subject } from './subjects.ts'

export function ErrorChart({ run, baseline }: { readonly run: Subject; readonly baseline: Subject | undefined }): React.JSX.Element | null {
  const layers = useApp((state) => state.open?.summary.layers)
  const [own, other] = [useJobLive(run.id), useJobLive(baseline?.id)]
  const errors = layerErrors(layers ?? [], own, other)
  const worst = errors.toSorted((a, b) => b.error - a.error).at(0)
  if (!worst) return null
  const values = errors.flatMap(({ error, baseline: beside }) => (beside === null || beside <= 0 ? [error] : [error, beside]))
  const hasBaseline = baseline !== undefined && values.length > errors.length
  const least = errors.filter(({ error, baseline: beside }) => beside !== null && error < beside).length
  return (
    <ChartFigure
      title="Output error by layer" caption={`${hasBaseline ? `${String(least)} of ${String(errors.length)} layers err less than with ${baseline.name}. ` : ''}Most error: ${worst.layer} in ${worst.option}, ${digits(worst.error)}.`}
      table={{ columns: ['Layer', 'Format', run.name, ...(hasBaseline ? [baseline.name] : [])], rows: () => errors.map(({ layer, option, error, baseline: beside }) => [layer, option, digits(error), ...(hasBaseline ? [beside === null ? '–' : digits(beside)] : [])]) }}
      legend={<Legend entries={[
        { label: run.name, mark: <svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="4" className="fill-accent" /></svg> },
        ...(hasBaseline ? [{ label: baseline.name, mark: <svg width="12" height="12" aria-hidden="true"><path d="M6 1l5 5-5 5-5-5z" className="fill-cat-2" /></svg> }] : []),
      ]} />}
    >
      <Plane
        label="Output error by layer" height={240} x={{ label: 'layers, in the order of the model', domain: [0, errors.length + 1], format: (value) => (Number.isInteger(value) && value > 0 ? String(value) : '') }}
        y={{ label: 'output error', domain: [Math.min(...values) / 1.5, Math.max(...values) * 1.5], format: (value) => digits(value, 1), isLog: true }}
      >
        {(frame) => errors.map(({ layer, option, error, baseline: beside }, i) => {
          const x = frame.x(i + 1)
          return (
            <g key={layer}>
              <title>{`${layer} in ${option}: ${digits(error)}${beside === null || beside <= 0 ? '' : `, ${baseline?.name ?? ''} ${digits(beside)}`}`}</title>
              {beside !== null && beside > 0 && <path d={`M${String(x)},${String(frame.y(beside) - 4)}l4,4l-4,4l-4,-4z`} className="fill-cat-2" />}
              <circle cx={x} cy={frame.y(error)} r={3.5} className="fill-accent stroke-surface-2" />
            </g>
          )
        })}
      </Plane>
    </ChartFigure>
  )
}
