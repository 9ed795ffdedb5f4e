/** @file What is added to attention scores: the causal mask, cut to a sliding window where a block has one, and ALiBi's slopes (Press et al. 2022). */

/** Stands for −∞: e^x is 0, and x + score stays finite. */
export const HIDDEN = -1e30

/** [time, past + time]: 0 where position past + row sees the column, HIDDEN elsewhere. `window` counts the position itself. */
export function causalMask(time: number, past: number, window: number | null): Float32Array {
  const width = past + time
  const mask = new Float32Array(time * width)
  for (let row = 0; row < time; row++) {
    const position = past + row
    if (window !== null) mask.fill(HIDDEN, row * width, row * width + Math.max(0, position - window + 1))
    mask.fill(HIDDEN, row * width + position + 1, (row + 1) * width)
  }
  return mask
}

/** Slope of every head: 2^(−8(i+1)/n), with the in-between slopes of the next power of two where n is none. */
export function alibiSlopes(heads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads))
  const slopes = Array.from({ length: whole }, (_, head) => 2 ** ((-8 * (head + 1)) / whole))
  const between = Array.from({ length: heads - whole }, (_, head) => 2 ** ((-4 * (2 * head + 1)) / whole))
  return [...slopes, ...between]
}

/** [heads, 1, length]: slope · (column − last column). Softmax does not mind that a row's own position is not subtracted. */
export function alibiBias(heads: number, length: number): Float32Array {
  const slopes = alibiSlopes(heads)
  return Float32Array.from({ length: heads * length }, (_, index) => (slopes[Math.floor(index / length)] ?? 0) * ((index % length) - length + 1))
}
