/** @file Seeded numbers for tests and benches of the kernels: uniform, normal, and correlated layer inputs. */

/** Uniform in [0, 1), the same sequence for the same seed (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Standard normal values (Box–Muller). */
export function normals(count: number, seed: number): Float32Array {
  const next = uniform(seed)
  return Float32Array.from({ length: count }, () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()))
}

/**
 * Inputs x [tokens, cols] as layers see them: a few directions that all columns share, noise of its own in each column, and
 * column scales that differ by an order of magnitude.
 */
export function correlatedInputs(tokens: number, cols: number, seed: number): Float32Array {
  const shared = Math.max(1, Math.min(16, Math.floor(cols / 8)))
  const mixing = normals(shared * cols, seed + 1)
  const common = normals(tokens * shared, seed + 2)
  const scales = normals(cols, seed + 3).map((value) => Math.exp(value))
  return normals(tokens * cols, seed + 4).map((noise, index) => {
    const [token, column] = [Math.floor(index / cols), index % cols]
    let value = 0.3 * noise
    for (let part = 0; part < shared; part++) value += (common[token * shared + part] ?? 0) * (mixing[part * cols + column] ?? 0) / Math.sqrt(shared)
    return value * (scales[column] ?? 1)
  })
}
