/** @file Vectors of random signs that depend on a seed and a name alone, so that they are made again wherever they are needed. */

/** A 32-bit number from text (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash | 0
}

/** 32 random bits at a time (splitmix32). */
export function randomBits(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return mixed ^ (mixed >>> 15)
  }
}

/** `count` signs, ±1 (Rademacher). */
export function rademacher(count: number, seed: number): Float32Array {
  const next = randomBits(seed)
  const out = new Float32Array(count)
  for (let first = 0; first < count; first += 32) {
    let bits = next()
    const last = Math.min(first + 32, count)
    for (let index = first; index < last; index++) {
      out[index] = (bits & 1) === 1 ? 1 : -1
      bits >>>= 1
    }
  }
  return out
}
