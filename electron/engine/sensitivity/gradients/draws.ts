/**
 * @file Numbers drawn one sample or probe after the other, of which means and standard errors are taken. A pass that was stopped goes on
 * from the draws it has: the same numbers, so the same result.
 */
import type { OptionLoss } from '../differentiable.ts'

export interface Draws {
  /** Draws finished. */
  readonly done: number
  /** One number a draw, by what they are of; `key` joins names. */
  readonly values: Readonly<Record<string, readonly number[]>>
}

export const noDraws: Draws = { done: 0, values: {} }

/** How a pass is continued and how it tells where it has got to. */
export interface Resumable {
  readonly known?: Draws | undefined
  /** Called after every few draws. */
  readonly save?: ((draws: Draws) => Promise<void>) | undefined
}

export function keyOf(layer: string, option: string): string {
  return `${layer}\n${option}`
}

/** Mean and its standard error; the error of a single draw is as large as the draw. */
export function estimateOf(draws: readonly number[]): OptionLoss {
  const count = draws.length
  if (count === 0) return { value: 0, stderr: 0 }
  const value = draws.reduce((sum, draw) => sum + draw, 0) / count
  if (count === 1) return { value, stderr: Math.abs(value) }
  const variance = draws.reduce((sum, draw) => sum + (draw - value) ** 2, 0) / (count - 1)
  return { value, stderr: Math.sqrt(variance / count) }
}

/** `draws` with `more` finished, whose values are in `added`. */
export function appended(draws: Draws, more: number, added: ReadonlyMap<string, readonly number[]>): Draws {
  const values: Record<string, readonly number[]> = { ...draws.values }
  for (const [key, list] of added) values[key] = [...(values[key] ?? []), ...list]
  return { done: draws.done + more, values }
}
