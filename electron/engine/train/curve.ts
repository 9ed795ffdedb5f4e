/** @file The loss of a run as a picture: SVG without script or style sheet, so that it opens anywhere. */
import type { Point } from './checkpoint.ts'

const width = 640
const height = 320
const margin = { left: 64, right: 16, top: 28, bottom: 36 }
const colours: Readonly<Record<string, string>> = { loss: '#8a94a6', 'held-out loss': '#c2410c' }

function ticks(low: number, high: number): number[] {
  const rough = (high - low) / 4 || 1
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10) * power
  return Array.from({ length: Math.floor(high / step) - Math.ceil(low / step) + 1 }, (_, at) => (Math.ceil(low / step) + at) * step)
}

/** `loss` of every step and `held-out loss` of every evaluation over the steps. */
export function curveSvg(points: readonly Point[]): string {
  const drawn = points.filter(({ series, value }) => series in colours && Number.isFinite(value))
  const steps = Math.max(1, ...drawn.map(({ step }) => step))
  const values = drawn.map(({ value }) => value)
  const [low, high] = values.length === 0 ? [0, 1] : [Math.min(...values), Math.max(...values)]
  const span = high - low || Math.abs(high) || 1
  const x = (step: number): number => margin.left + (step / steps) * (width - margin.left - margin.right)
  const y = (value: number): number => height - margin.bottom - ((value - low) / span) * (height - margin.top - margin.bottom)
  const text = (left: number, top: number, anchor: string, content: string, colour = '#475569'): string =>
    `<text x="${left.toFixed(1)}" y="${top.toFixed(1)}" text-anchor="${anchor}" font-family="sans-serif" font-size="11" fill="${colour}">${content}</text>`
  const line = (series: string): string => {
    const own = drawn.filter((point) => point.series === series)
    const place = own.map(({ step, value }) => `${x(step).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    return own.length === 0 ? '' : `<polyline points="${place}" fill="none" stroke="${colours[series] ?? ''}" stroke-width="${series === 'loss' ? 1 : 2}"/>`
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img"><title>Training loss by step</title><rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...ticks(low, low + span).map((value) => `<path d="M${margin.left} ${y(value).toFixed(1)}H${width - margin.right}" stroke="#e2e8f0"/>${text(margin.left - 6, y(value) + 4, 'end', String(Number(value.toPrecision(4))))}`),
    ...ticks(0, steps).filter((step) => Number.isInteger(step)).map((step) => text(x(step), height - margin.bottom + 16, 'middle', String(step))),
    ...Object.keys(colours).map(line),
    ...Object.entries(colours).map(([series, colour], at) => text(margin.left + at * 90, 16, 'start', series, colour)),
    text(width / 2, height - 6, 'middle', 'step'),
    '</svg>\n',
  ].join('\n')
}
