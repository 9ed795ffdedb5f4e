/** @file Numbers as people read them: three significant digits, units said once, times rounded to what matters. */

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** 1234567 → "1.23 MB" (decimal units, as file managers and download pages use). */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return '–'
  let [scaled, unit] = [Math.abs(value), 0]
  while (scaled >= 999.5 && unit < units.length - 1) [scaled, unit] = [scaled / 1000, unit + 1]
  return `${value < 0 ? '−' : ''}${unit === 0 ? String(Math.round(scaled)) : digits(scaled)} ${units[unit]}`
}

/** Three significant digits without an exponent where that stays readable. */
export function digits(value: number, significant = 3): string {
  if (value === 0) return '0'
  if (!Number.isFinite(value)) return '–'
  const size = Math.abs(value)
  if (size < 1e-3 || size >= 1e6) return value.toExponential(significant - 1).replace('e+', 'e').replace('-', '−').replace('e-', 'e−')
  const rounded = Math.abs(Number(value.toPrecision(significant)))
  const decimals = Math.max(0, significant - 1 - Math.floor(Math.log10(rounded)))
  return value.toFixed(decimals).replace('-', '−')
}

/** 14_200_000 → "14.2 M". */
export function count(value: number): string {
  if (value >= 1e9) return `${digits(value / 1e9)} B`
  if (value >= 1e6) return `${digits(value / 1e6)} M`
  return value.toLocaleString('en-US')
}

export const percent = (share: number, decimals = 1): string => `${(share * 100).toFixed(decimals)} %`
export const bits = (value: number): string => `${value.toFixed(2)} bpw`
/** "0.00138 ± 0.00001": the error to the value's own decimals, but never rounded away to nothing. */
export function withError(value: number, stderr: number | undefined, significant = 3): string {
  const text = digits(value, significant)
  if (stderr === undefined || stderr === 0) return text // exact, or not known
  const decimals = /^[−\d]+\.(\d+)$/.exec(text)?.[1]?.length
  const error = decimals === undefined ? digits(stderr, 2) : stderr.toFixed(decimals)
  return `${text} ± ${Number(error.replace('−', '-')) === 0 && stderr > 0 ? digits(stderr, 1) : error}`
}

/** "4 min": never more exact than it is. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 1) return 'under 1 s'
  if (seconds < 90) return `${String(Math.round(seconds))} s`
  const minutes = seconds / 60
  if (minutes < 90) return `${String(Math.round(minutes))} min`
  return `${digits(minutes / 60, 2)} h`
}

/** A time that is predicted: "about 4 min". */
export const about = (ms: number): string => (ms < 1000 ? duration(ms) : `about ${duration(ms)}`)

/** A time that is left, as a range where it is long: "2–3 min left". */
export function left(ms: number | null): string {
  if (ms === null) return ''
  const minutes = ms / 60_000
  if (minutes < 1.5) return `${duration(Math.max(ms, 1000))} left`
  const [low, high] = [Math.floor(minutes * 0.9), Math.ceil(minutes * 1.15)]
  return minutes < 90 ? `${String(low)}–${String(high)} min left` : `${about(ms)} left`
}

/** `model.layers.3.mlp.down_proj.weight` → `model.layers…down_proj.weight`: both ends of a name tell it apart. */
export function shortName(name: string, max = 32): string {
  if (name.length <= max) return name
  const end = Math.ceil((max - 1) * 0.6)
  return `${name.slice(0, max - 1 - end)}…${name.slice(-end)}`
}

export function ago(then: number, now: number): string {
  const minutes = Math.floor((now - then) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${String(minutes)} min ago`
  if (minutes < 48 * 60) return `${String(Math.floor(minutes / 60))} h ago`
  return `${String(Math.floor(minutes / (24 * 60)))} days ago`
}
