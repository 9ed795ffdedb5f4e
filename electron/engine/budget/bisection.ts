/**
 * @file Allocation to a quality instead of a size, by really evaluating (algorithm of Schaefer et al. 2023 as far as it is
 * published): layers sorted from least to most sensitive; for each format from wide to narrow, bisection finds how many of
 * the least sensitive layers may take it. Nothing is assumed of the losses but that quality falls along the list.
 * `smallestWithin` asks the same of a Pareto curve: its cheapest point that meets the target.
 */

/** True where a choice (an option name for each group) meets the target; runs the model. */
export type Meets = (options: readonly string[]) => Promise<boolean>

export interface BisectionInput {
  /** One a group: larger = more sensitive. */
  readonly scores: readonly number[]
  /** From wide to narrow; the first is what a group has before anything is narrowed and is taken to meet the target. */
  readonly formats: readonly string[]
  /** Whether a group can take a format. */
  readonly allows: (group: number, format: string) => boolean
  readonly meets: Meets
}

export interface BisectionResult {
  readonly options: readonly string[]
  readonly evaluations: number
  /** False where one or two more layers than the bisection's answer met the target: quality does not fall along the list. */
  readonly isMonotone: boolean
}

/** O(formats · log groups) evaluations. */
export async function bisectFormats({ scores, formats, allows, meets }: BisectionInput): Promise<BisectionResult> {
  const options = scores.map(() => formats[0])
  let eligible = scores.map((_, at) => at).sort((a, b) => scores[a] - scores[b])
  let evaluations = 0
  let isMonotone = true
  for (const format of formats.slice(1)) {
    const candidates = eligible.filter((group) => allows(group, format))
    const attempt = async (count: number): Promise<boolean> => {
      evaluations++
      return meets(options.map((held, group) => (candidates.slice(0, count).includes(group) ? format : held)))
    }
    let low = 0
    let high = candidates.length
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (await attempt(middle)) low = middle
      else high = middle - 1
    }
    // One more was seen to fail by the bisection itself; two more shows whether that holds on.
    if (low + 2 <= candidates.length && (await attempt(low + 2))) {
      isMonotone = false
      low += 2
    }
    eligible = candidates.slice(0, low)
    for (const group of eligible) options[group] = format
  }
  return { options, evaluations, isMonotone }
}

/** Index of the first of `count` points (by growing size) that meets the target, or null where the last does not. */
export async function smallestWithin(count: number, meets: (point: number) => Promise<boolean>): Promise<number | null> {
  if (count === 0 || !(await meets(count - 1))) return null
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await meets(middle)) high = middle
    else low = middle + 1
  }
  return low
}
