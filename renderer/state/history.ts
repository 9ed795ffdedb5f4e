/** @file Undo and redo as data: what was, what is, what was undone. */

export interface History<T> { readonly past: readonly T[]; readonly future: readonly T[] }

const maxPast = 200

/** After a change away from `before`. */
export function record<T>({ past }: History<T>, before: T): History<T> {
  return { past: [...past, before].slice(-maxPast), future: [] }
}

/** The state to go back to from `now`, or undefined where there is none. */
export function undo<T>({ past, future }: History<T>, now: T): { value: T; history: History<T> } | undefined {
  const value = past.at(-1)
  return value === undefined ? undefined : { value, history: { past: past.slice(0, -1), future: [now, ...future] } }
}

export function redo<T>({ past, future }: History<T>, now: T): { value: T; history: History<T> } | undefined {
  const value = future.at(0)
  return value === undefined ? undefined : { value, history: { past: [...past, now], future: future.slice(1) } }
}
