/** @file A live curve on canvas (uPlot), in the page's own colours; redrawn at most once a frame. */
import { useEffect, useRef } from 'react'
import UPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { digits } from '../state/format.ts'
import { useDark } from './use-dark.ts'
import { useSize } from './use-size.ts'

/** Powers of ten alone, and of those so many as can be read: between them lines would lie on lines. */
function decades(_plot: UPlot, _axis: number, min: number, max: number): number[] {
  const [low, high] = [Math.ceil(Math.log10(min)), Math.floor(Math.log10(max))]
  const every = Math.max(1, Math.ceil((high - low + 1) / 5))
  return Array.from({ length: Math.max(0, Math.floor((high - low) / every) + 1) }, (_, i) => 10 ** (low + i * every))
}

/** Steps and tensors are counted: no tick stands between two. */
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
      width, height, legend: { show: false }, cursor: { y: false }, scales: { x: { time: false }, ...(isLog && { y: { distr: 3 } }) },
      axes: [{ ...axis, size: 28, incrs: wholeSteps }, { ...axis, size: 56, ...(isLog && { splits: decades }), values: (_plot, ticks) => ticks.map((tick) => (tick as number | null) === null ? '' : digits(tick, 2)) }],
      series: [{}, isLog ? { stroke: colour('cat-1'), width: 0, points: { show: true, size: 6, fill: colour('cat-1') } } : { stroke: colour('cat-1'), width: 1.75, points: { show: false } }],
    }, [[...latest.current.x], [...latest.current.y]], box)
    plot.current = made
    return () => {
      made.destroy()
      plot.current = null
    }
  }, [ref, width, height, isDark, isLog])

  useEffect(() => {
    const frame = requestAnimationFrame(() => plot.current?.setData([[...x], [...y]]))
    return () => { cancelAnimationFrame(frame) }
  }, [x, y])

  const last = y.at(-1)
  return <div ref={ref} role="img" aria-label={`${label} over ${xLabel}${last === undefined || last === null ? '' : `, now ${digits(last)}`}`} className="keeps-colour w-full" style={{ height }} />
}

/** The value a colour token has here and now: canvases know no variables. */
function resolved(near: HTMLElement, value: string): string {
  const probe = document.createElement('span')
  probe.style.color = value
  near.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
