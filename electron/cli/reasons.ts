/** @file Reasons why tensors stay as they are, a line for all that differ in names and numbers only. */

/** A reason without the names and numbers in it. */
const outline = (reason: string): string => reason.replace(/ '[^']*'/g, '').replace(/\d+/g, '#')

/** Reasons of one outline as one: a range for each of their numbers, no names where they differ. */
function inOne(reasons: readonly string[]): string {
  const [first = ''] = reasons
  if (reasons.every((reason) => reason === first)) return first
  const numbers = reasons.map((reason) => [...reason.replace(/ '[^']*'/g, '').matchAll(/\d+/g)].map(Number))
  let at = 0
  return outline(first).replace(/#/g, () => {
    const all = numbers.map((found) => found[at])
    at += 1
    const [least, most] = [Math.min(...all), Math.max(...all)]
    return least === most ? String(least) : `${least} to ${most}`
  })
}

/** Reasons by their outline, in the order in which they come first. */
export function grouped(reasons: readonly string[]): { readonly reason: string; readonly count: number }[] {
  return [...Map.groupBy(reasons, outline).values()].map((alike) => ({ reason: inOne(alike), count: alike.length }))
}
