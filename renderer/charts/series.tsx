/** @file A live curve on canvas (uPlot), in the page's own colours; redrawn at most once a frame. */
import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { digits } from '../state/format.ts'
import { useDark } from './use-dark.ts'
import { useSize } from './use-size.ts'

/** Steps, layers and powers of ten are counted: no tick stands between two. */
const wholeSteps = [1, 10, 100, 1000, 10_000, 100_000].flatMap((ten) => [ten, 2 * ten, 5 * ten])

/** `isLog`: for values of many sizes, such as the errors of unlike layers; each is then marked, as no line leads from one to the next. */
export function Series({ label, x, y, xLabel, height = 160, isLog = false }: { readonly label: string; readonly x: readonly number[]; readonly y: readonly (number | null)[]; readonly xLabel: string; readonly height?: number; readonly isLog?: boolean }): React.JSX.Element {
  const { ref, width } = useSize<HTMLDivElement>()
  const plot = useRef<UPlot>(null)
  const latest = useRef<{ x: readonly number[]; y: readonly (number | null)[] }>({ x, y })
  const isDark = useDark()
  latest.current = { x, y }

  useEffect(() => {
    const box = ref.current
    if (!box || width === 0) return
    const colour = (name: string): string => resolved(box, `var(--color-${name})`)
    const axis = { stroke: colour('ink-2'), grid: { stroke: colour('line'), width: 1 }, ticks: { stroke: colour('line'), width: 1 }, font: '11px system-ui' }
    const made = new UPlot({
      width, height, legend: { show: false }, cursor: { y: false }, scales: { x: { time: false } },
      axes: [{ ...axis, size: 28, incrs: wholeSteps }, { ...axis, size: 56, ...(isLog && { incrs: wholeSteps }), values: (_plot, ticks) => ticks.map((tick) => digits(isLog ? 10 ** tick : tick, 2)) }],
      series: [{}, isLog ? { stroke: colour('cat-1'), width: 0, points: { show: true, size: 6, fill: colour('cat-1') } } : { stroke: colour('cat-1'), width: 1.75, points: { show: false } }],
    }, [[...latest.current.x], scaled(latest.current.y, isLog)], box)
    plot.current = made
    return () => {
      made.destroy()
      plot.current = null
    }
  }, [ref, width, height, isDark, isLog])

  useEffect(() => {
    const frame = requestAnimationFrame(() => plot.current?.setData([[...x], scaled(y, isLog)]))
    return () => { cancelAnimationFrame(frame) }
  }, [x, y, isLog])

  const last = y.at(-1)
  return <div ref={ref} role="img" aria-label={`${label} over ${xLabel}${last === undefined || last === null ? '' : `, now ${digits(last)}`}`} className="keeps-colour w-full" style={{ height }} />
}

/** What is drawn: the powers of ten of values on a logarithmic scale. */
const scaled = (values: readonly (number | null)[], isLog: boolean): (number | null)[] => values.map((value) => (isLog && value !== null ? Math.log10(value) : value))

/** The value a colour token has here and now: canvases know no variables. */
function resolved(near: HTMLElement, value: string): string {
  const probe = document.createElement('span')
  probe.style.color = value
  near.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
