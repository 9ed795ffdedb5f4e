/**
 * @file A text as windows of equal length, end to end, the way llama-perplexity cuts it: the rest that does not fill a window is
 * left out, and where the tokenizer begins texts with a token of its own, each window's first token is replaced by it.
 */
import { AppError } from '../../contract/errors.ts'

export interface WindowOptions {
  readonly length: number
  /** At most so many windows; all of the text unless told. */
  readonly windows?: number
  /** Stands at the start of every window; null where the tokenizer adds none. */
  readonly bos?: number | null
}

/** Cuts token ids into windows. Throws bad-data where the text does not fill one; `where` names it. */
export function cutWindows(tokens: Int32Array, { length, windows = Infinity, bos = null }: WindowOptions, where: string): readonly Int32Array[] {
  const count = Math.min(windows, Math.floor(tokens.length / length))
  if (count < 1) {
    throw new AppError('bad-data', `${where}: found ${tokens.length} tokens, expected at least ${length} (one window)`, { hint: 'Use a longer text or a shorter window (--length).' })
  }
  return Array.from({ length: count }, (_, index) => {
    const window = tokens.slice(index * length, (index + 1) * length)
    if (bos !== null) window[0] = bos
    return window
  })
}
