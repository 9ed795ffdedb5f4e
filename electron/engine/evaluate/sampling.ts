/** @file Choosing the next token from logits: the most likely one, or a seeded draw at a temperature among those that hold a share of the probability (nucleus sampling, Holtzman et al. 2020). */

export interface SamplingOptions {
  /** 0 takes the most likely token. */
  readonly temperature: number
  /** Share of probability the candidates hold, likeliest first; 1 keeps all. */
  readonly topP: number
}

/** Random numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function likeliest(logits: Float32Array): number {
  let best = 0
  for (let token = 1; token < logits.length; token++) if (logits[token] > logits[best]) best = token
  return best
}

/** The first of `order` at which the weights so far exceed `target`; the last where none does. */
function drawn(weights: Float64Array, order: Uint32Array | null, count: number, target: number): number {
  let rest = target
  for (let place = 0; place < count; place++) {
    const token = order?.[place] ?? place
    rest -= weights[token]
    if (rest < 0) return token
  }
  return order?.[count - 1] ?? count - 1
}

/** One token id; `random` gives the number that decides the draw. */
export function chooseToken(logits: Float32Array, { temperature, topP }: SamplingOptions, random: () => number): number {
  const best = likeliest(logits)
  if (temperature === 0) return best
  const weights = new Float64Array(logits.length)
  let total = 0
  for (let token = 0; token < logits.length; token++) total += weights[token] = Math.exp((logits[token] - logits[best]) / temperature)
  if (topP >= 1) return drawn(weights, null, weights.length, random() * total)
  const order = Uint32Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b)
  let count = 0
  let kept = 0
  while (count < order.length && (count === 0 || kept < topP * total)) kept += weights[order[count++]]
  return drawn(weights, order, count, random() * kept)
}
