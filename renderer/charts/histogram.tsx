/** @file Bars of counts from a zero line, each with its own label for pointer and screen reader. */
import { useSize } from './use-size.ts'

/** Room of a label below its bar. */
const labelWidth = 52

export interface Bar { readonly label: string; readonly count: number }

export function Histogram({ label, bars, height = 120, unit }: { readonly label: string; readonly bars: readonly Bar[]; readonly height?: number; readonly unit: string }): React.JSX.Element {
  const { ref, width } = useSize<HTMLDivElement>()
  const most = Math.max(1, ...bars.map((bar) => bar.count))
  const step = bars.length > 0 ? width / bars.length : 0
  const every = Math.max(1, Math.ceil((bars.length * labelWidth) / Math.max(1, width)))
  const plot = height - 22
  return (
    <div ref={ref} className="w-full" style={{ height }}>
      <svg width={width} height={height} role="img" aria-label={label} className="keeps-colour block">
        {bars.map((bar, i) => {
          const h = (bar.count / most) * (plot - 4)
          return (
            <g key={i}>
              <title>{`${bar.label}: ${bar.count.toLocaleString('en-US')} ${unit}`}</title>
              <rect x={i * step} y={0} width={step} height={plot} className="fill-transparent" />
              <rect x={i * step + 1} y={plot - h} width={Math.max(1, step - 2)} height={h} rx={1} className="fill-cat-1" />
              {i % every === 0 && <text {...(i === 0 && step < labelWidth ? { x: 0, textAnchor: 'start' } : { x: i * step + step / 2, textAnchor: 'middle' })} y={height - 6} className="tnum fill-ink-3 text-xs">{bar.label}</text>}
            </g>
          )
        })}
        <line x1={0} x2={width} y1={plot} y2={plot} className="stroke-line-strong" />
      </svg>
    </div>
  )
}
