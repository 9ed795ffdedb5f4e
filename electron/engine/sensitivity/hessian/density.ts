/** @file From quadratures to a density on a grid, each node widened to a normal curve, and to a picture of it. */
import type { Quadrature } from './lanczos.ts'

export interface Density {
  readonly eigenvalues: readonly number[]
  /** Mean over the probes; integrates to 1. */
  readonly density: readonly number[]
}

const POINTS = 400
/** Width of a node's curve, as a share of the range. */
const WIDTH = 0.01
const [width, height, margin, top] = [720, 416, 56, 72]
/** Letters that fit in a line. */
const LINE = 96
/** Most marks on the axis of eigenvalues. */
const TICKS = 7

/** The mean density of some quadratures over the range of their nodes. */
export function densityOf(quadratures: readonly Quadrature[]): Density {
  const nodes = quadratures.flatMap((one) => one.nodes)
  const [low, high] = [Math.min(...nodes), Math.max(...nodes)]
  const deviation = WIDTH * (high - low || 1)
  const [from, to] = [low - 4 * deviation, high + 4 * deviation]
  const eigenvalues = Array.from({ length: POINTS }, (_, index) => from + ((to - from) * index) / (POINTS - 1))
  const scale = 1 / (deviation * Math.sqrt(2 * Math.PI) * quadratures.length)
  const density = eigenvalues.map((at) => quadratures.reduce((sum, one) => sum + one.nodes.reduce((part, node, index) => part + one.weights[index] * Math.exp(-0.5 * ((at - node) / deviation) ** 2), 0), 0) * scale)
  return { eigenvalues, density }
}

const short = (value: number): string => (value === 0 ? '0' : Number(value.toPrecision(3)).toString())

/** Round numbers inside a range, a step of 1, 2 or 5 times a power of ten apart; zero is one of them where it is inside. */
function roundTicks(low: number, high: number): number[] {
  const least = (high - low) / TICKS
  const power = 10 ** Math.floor(Math.log10(least))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power
  const first = Math.ceil(low / step)
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step)
}

/** The density on a logarithmic axis as SVG: almost all eigenvalues of a network are near zero, the few others are what one looks for. `about` says of what loss. */
export function densityPicture({ eigenvalues, density }: Density, title: string, about: string): string {
  const floor = 1e-7
  const most = Math.max(...density)
  const logs = density.map((value) => Math.log10(Math.max(value / most, floor)))
  const x = (value: number): number => margin + ((value - eigenvalues[0]) / (eigenvalues[POINTS - 1] - eigenvalues[0])) * (width - 2 * margin)
  const y = (log: number): number => top + (log / Math.log10(floor)) * (height - margin - top)
  const points = eigenvalues.map((value, index) => `${x(value).toFixed(1)},${y(logs[index]).toFixed(1)}`).join(' ')
  const ticks = roundTicks(eigenvalues[0], eigenvalues[POINTS - 1])
  const text = (at: number, row: number, anchor: string, content: string, style = ''): string => `<text x="${at.toFixed(1)}" y="${row.toFixed(1)}" text-anchor="${anchor}"${style}>${content.replace(/[<>&]/g, '')}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#444">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(margin, 22, 'start', title, ' font-size="14" fill="#111"'),
    text(margin, 40, 'start', about, about.length > LINE ? ` textLength="${width - 2 * margin}" lengthAdjust="spacingAndGlyphs"` : ''),
    `<path d="M${margin} ${top}V${height - margin}H${width - margin}" fill="none" stroke="#888"/>`,
    ...ticks.map((value) => `<path d="M${x(value).toFixed(1)} ${height - margin}v5" stroke="#888"/>${text(x(value), height - margin + 20, 'middle', short(value))}`),
    ...[0, -2, -4, -6].map((log) => text(margin - 8, y(log) + 4, 'end', `1e${log}`)),
    text(width / 2, height - 12, 'middle', 'eigenvalue'),
    text(margin, top - 10, 'start', 'density, as a share of its largest value'),
    `<polyline points="${points}" fill="none" stroke="#2563eb" stroke-width="1.5"/>`,
    '</svg>',
  ].join('\n')
}
