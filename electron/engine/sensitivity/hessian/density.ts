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
const [width, height, margin] = [720, 400, 56]

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

/** The density on a logarithmic axis as SVG: almost all eigenvalues of a network are near zero, the few others are what one looks for. */
export function densityPicture({ eigenvalues, density }: Density, title: string): string {
  const floor = 1e-7
  const top = Math.max(...density)
  const logs = density.map((value) => Math.log10(Math.max(value / top, floor)))
  const x = (value: number): number => margin + ((value - eigenvalues[0]) / (eigenvalues[POINTS - 1] - eigenvalues[0])) * (width - 2 * margin)
  const y = (log: number): number => margin + (log / Math.log10(floor)) * (height - 2 * margin)
  const points = eigenvalues.map((value, index) => `${x(value).toFixed(1)},${y(logs[index]).toFixed(1)}`).join(' ')
  const ticks = [0, 1, 2, 3, 4].map((index) => eigenvalues[0] + ((eigenvalues[POINTS - 1] - eigenvalues[0]) * index) / 4)
  const text = (at: number, row: number, anchor: string, content: string): string => `<text x="${at.toFixed(1)}" y="${row.toFixed(1)}" text-anchor="${anchor}">${content.replace(/[<>&]/g, '')}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#444">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(margin, 24, 'start', title),
    `<path d="M${margin} ${margin}V${height - margin}H${width - margin}" fill="none" stroke="#888"/>`,
    ...ticks.map((value) => text(x(value), height - margin + 20, 'middle', short(value))),
    ...[0, -2, -4, -6].map((log) => text(margin - 8, y(log) + 4, 'end', `1e${log}`)),
    text(width / 2, height - 12, 'middle', 'eigenvalue'),
    text(margin, margin - 10, 'start', 'density, as a share of its largest value'),
    `<polyline points="${points}" fill="none" stroke="#2563eb" stroke-width="1.5"/>`,
    '</svg>',
  ].join('\n')
}
