/** @file Colours for numbers: viridis by linear interpolation, and black or white text by luminance (at least 4.5 : 1). Pure. */

type Rgb = readonly [number, number, number]

/** Eleven stops of matplotlib's viridis (CC0). */
const viridis: readonly Rgb[] = [
  [68, 1, 84], [72, 36, 117], [65, 68, 135], [53, 95, 141], [42, 120, 142], [33, 145, 140], [34, 168, 132], [68, 191, 112], [122, 209, 81], [189, 223, 38], [253, 231, 37],
]

const black: Rgb = [0, 0, 0]

/** `share` in [0, 1] → a colour; more stands out from the ground: dark on light, light on dark. */
export function sequential(share: number, isDark: boolean): Rgb {
  const clamped = Math.min(1, Math.max(0, isDark ? share : 1 - share)) * (viridis.length - 1)
  const low = Math.min(viridis.length - 2, Math.floor(clamped))
  const [a, b] = [viridis[low] ?? black, viridis[low + 1] ?? black]
  const mix = (i: 0 | 1 | 2): number => Math.round(a[i] + (b[i] - a[i]) * (clamped - low))
  return [mix(0), mix(1), mix(2)]
}

export const css = ([r, g, b]: Rgb): string => `rgb(${String(r)} ${String(g)} ${String(b)})`

/** Relative luminance of sRGB (WCAG 2.2). */
export function luminance(colour: Rgb): number {
  const linear = (value: number): number => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4)
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

/** Black or white, whichever is read better on it. */
export function inkOn(colour: Rgb): 'black' | 'white' {
  const light = luminance(colour)
  return (light + 0.05) / 0.05 >= 1.05 / (light + 0.05) ? 'black' : 'white'
}

/** Where a value lies between the smallest and the largest, on a logarithmic scale. */
export function logShare(value: number, min: number, max: number): number {
  if (value <= 0 || min <= 0 || max <= min) return 0
  return Math.min(1, Math.max(0, Math.log(value / min) / Math.log(max / min)))
}
