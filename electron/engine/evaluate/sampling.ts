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

/** One token id; `random` gives the number that decides the draw. */
export function chooseToken(logits: Float32Array, { temperature, topP }: SamplingOptions, random: () => number): number {
  const best = likeliest(logits)
  if (temperature === 0) return best
  const weights = Float64Array.from(logits, (value) => Math.exp((value - logits[best]) / temperature))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const order = Uint32Array.from(weights.keys()).sort((a, b) => weights[b] - weights[a] || a - b)
  let count = 0
  let kept = 0
  while (count < order.length && (count === 0 || kept < topP * total)) kept += weights[order[count++]]
  let rest = random() * kept
  for (let place = 0; place < count; place++) {
    rest -= weights[order[place]]
    if (rest < 0) return order[place]
  }
  return order[count - 1]
}
