/** @file Two axes with ticks and grid lines, on which the size-quality charts draw. The y axis may be logarithmic, and says so. */
import { scaleLinear, scaleLog } from 'd3-scale'
import { useSize } from './use-size.ts'

export interface Axis { readonly label: string; readonly domain: readonly [number, number]; readonly format: (value: number) => string; readonly isLog?: boolean }
export interface Frame { readonly x: (value: number) => number; readonly y: (value: number) => number; readonly width: number; readonly height: number }

const margin = { top: 30, right: 32, bottom: 40, left: 64 }
/** Ticks of a log scale beyond this many crowd each other out: then only powers of ten are kept, and of those every so many. */
const maxTicks = 9

export function Plane({ x, y, height = 300, label, children, onKeyDown, activeDescendant }: {
  readonly x: Axis; readonly y: Axis; readonly height?: number; readonly label: string; readonly children: (frame: Frame) => React.ReactNode
  readonly onKeyDown?: (event: React.KeyboardEvent) => void; readonly activeDescendant?: string | undefined
}): React.JSX.Element {
  const { ref, width } = useSize<HTMLDivElement>()
  const inner = { width: Math.max(0, width - margin.left - margin.right), height: height - margin.top - margin.bottom }
  const sx = scaleLinear().domain(x.domain).range([0, inner.width])
  const sy = (y.isLog === true ? scaleLog() : scaleLinear()).domain(y.domain).range([inner.height, 0])
  const yTicks = thinned(sy.ticks(6))
  return (
    <div ref={ref} className="w-full" style={{ height }}>
      <svg width={width} height={height} role={onKeyDown ? 'listbox' : 'img'} aria-label={label} tabIndex={onKeyDown ? 0 : undefined} onKeyDown={onKeyDown} aria-activedescendant={activeDescendant} className="keeps-colour block -outline-offset-2">
        {width > 0 && (
          <g transform={`translate(${String(margin.left)},${String(margin.top)})`}>
            <g aria-hidden="true" className="text-xs">
              {yTicks.map((tick) => (
                <g key={tick} transform={`translate(0,${String(sy(tick))})`}>
                  <line x2={inner.width} className="stroke-line" />
                  <text x={-8} dy="0.32em" textAnchor="end" className="tnum fill-ink-2">{y.format(tick)}</text>
                </g>
              ))}
              {sx.ticks(Math.max(2, Math.floor(inner.width / 90))).map((tick) => (
                <g key={tick} transform={`translate(${String(sx(tick))},${String(inner.height)})`}>
                  <line y2={4} className="stroke-line-strong" />
                  <text y={17} textAnchor="middle" className="tnum fill-ink-2">{x.format(tick)}</text>
                </g>
              ))}
              <line x2={inner.width} transform={`translate(0,${String(inner.height)})`} className="stroke-line-strong" />
              <text x={inner.width} y={inner.height + 33} textAnchor="end" className="fill-ink-3">{x.label}</text>
              <text x={-margin.left + 6} y={-14} className="fill-ink-3">{y.label}{y.isLog === true ? ' (log scale)' : ''}</text>
            </g>
            {children({ x: (value) => sx(value), y: (value) => sy(value), ...inner })}
          </g>
        )}
      </svg>
    </div>
  )
}

function thinned(ticks: readonly number[]): readonly number[] {
  if (ticks.length <= maxTicks) return ticks
  const powers = ticks.filter((tick) => Number.isInteger(Math.round(Math.log10(tick) * 1e9) / 1e9))
  return powers.filter((_, i) => i % Math.ceil(powers.length / maxTicks) === 0)
}
