/**
 * @file Examples packed into windows: short ones share a window, one after the other, so that no step computes padding. A token is
 * never learned from the example before its own. First fit over the last few open windows.
 */
import type { Example } from './chat-data-example.ts'

/** Windows that may still take an example; older ones are nearly full. */
const OPEN_WINDOWS = 32

interface Window {
  readonly parts: Example[]
  length: number
}

function join(parts: readonly Example[], length: number): Example {
  const tokens = new Int32Array(length)
  const mask = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    tokens.set(part.tokens, at)
    mask.set(part.mask, at)
    mask[at] = 0
    at += part.tokens.length
  }
  return { tokens, mask }
}

/** Windows of at most `length` tokens, in the order in which they were begun. Examples must fit. */
export function packExamples(examples: readonly Example[], length: number): Example[] {
  const windows: Window[] = []
  for (const example of examples) {
    const room = windows.slice(-OPEN_WINDOWS).find((window) => window.length + example.tokens.length <= length)
    const window = room ?? { parts: [], length: 0 }
    if (room === undefined) windows.push(window)
    window.parts.push(example)
    window.length += example.tokens.length
  }
  return windows.map(({ parts, length: used }) => join(parts, used))
}
