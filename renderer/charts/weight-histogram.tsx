/**
 * @file The spread of a layer's weights, and below it one of its groups: the values the format offers as lines, the weights as
 * dots. A group is narrower than the layer: its grid is drawn on the same axis, so that the two can be compared.
 */
import { digits } from '../state/format.ts'
import { useSize } from './use-size.ts'

export interface Bins { readonly low: number; readonly high: number; readonly counts: readonly number[] }

const rug = 34
const footer = 18

export function WeightHistogram({ label, bins, levels, sample, height = 150 }: { readonly label: string; readonly bins: Bins; readonly levels: readonly number[]; readonly sample: readonly number[]; readonly height?: number }): React.JSX.Element {
  const { ref, width } = useSize<HTMLDivElement>()
  const { low, high, counts } = bins
  const most = Math.max(1, ...counts)
  const step = width / Math.max(1, counts.length)
  const plot = height - rug - footer
  const x = (value: number): number => Math.min(width, Math.max(0, ((value - low) / (high - low || 1)) * width))
  return (
    <div ref={ref} className="w-full" style={{ height }}>
      <svg width={width} height={height} role="img" aria-label={label} className="keeps-colour block">
        {counts.map((count, i) => {
          const h = (count / most) * (plot - 2)
          return <rect key={i} x={i * step} y={plot - h} width={Math.max(0.5, step - 0.5)} height={h} className="fill-cat-1" />
        })}
        <line x1={0} x2={width} y1={plot} y2={plot} className="stroke-line-strong" />
        {levels.map((level, i) => <line key={i} x1={x(level)} x2={x(level)} y1={plot + 4} y2={plot + rug - 2} className="stroke-cat-2" strokeWidth={levels.length > 64 ? 0.5 : 1.5} />)}
        {sample.map((value, i) => <circle key={i} cx={x(value)} cy={plot + 8 + ((i * 7) % (rug - 14))} r={1.75} className="fill-ink-1" />)}
        <text x={0} y={height - 4} className="tnum fill-ink-3 text-xs">{digits(low, 2)}</text>
        <text x={width / 2} y={height - 4} textAnchor="middle" className="fill-ink-3 text-xs">weight</text>
        <text x={width} y={height - 4} textAnchor="end" className="tnum fill-ink-3 text-xs">{digits(high, 2)}</text>
      </svg>
    </div>
  )
}
