/**
 * @file Rotary positions (Su et al. 2021) as tables: cos and sin of position · frequency, with the frequencies of pair i
 * θ^(−2i/d) changed as the model's scaling says: linear (Chen et al. 2023), dynamic NTK, YaRN (Peng et al. 2023), Llama 3's
 * and LongRoPE's (Ding et al. 2024). Computed in double, stored in float.
 */
import type { Rope, RopeScaling } from './spec.ts'

interface Frequencies {
  readonly values: readonly number[]
  /** Factor of cos and sin. */
  readonly amplitude: number
}

type Scale<K extends RopeScaling['kind']> = (plain: readonly number[], scaling: Extract<RopeScaling, { kind: K }>, rope: Rope, length: number) => Frequencies

function basic(theta: number, dimensions: number): number[] {
  return Array.from({ length: dimensions / 2 }, (_, pair) => theta ** ((-2 * pair) / dimensions))
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value))
}

const scalings: { [K in RopeScaling['kind']]: Scale<K> } = {
  none: (plain) => ({ values: plain, amplitude: 1 }),
  linear: (plain, { factor }) => ({ values: plain.map((value) => value / factor), amplitude: 1 }),
  divided: (plain, { divisors }) => ({ values: plain.map((value, pair) => value / (divisors[pair] ?? 1)), amplitude: 1 }),
  dynamic(_plain, { factor, original }, { theta, dimensions }, length) {
    const growth = (factor * Math.max(length, original)) / original - (factor - 1)
    return { values: basic(theta * growth ** (dimensions / (dimensions - 2)), dimensions), amplitude: 1 }
  },
  llama3(plain, { factor, low, high, original }) {
    const values = plain.map((value) => {
      const turns = (original * value) / (2 * Math.PI)
      const kept = clamp((turns - low) / (high - low))
      return kept * value + ((1 - kept) * value) / factor
    })
    return { values, amplitude: 1 }
  },
  yarn(plain, { factor, attention, fast, slow, original, truncate }, { theta, dimensions }) {
    const pairOf = (turns: number): number => (dimensions * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta))
    const first = Math.max(truncate ? Math.floor(pairOf(fast)) : pairOf(fast), 0)
    const last = Math.min(truncate ? Math.ceil(pairOf(slow)) : pairOf(slow), dimensions - 1)
    const width = first === last ? 0.001 : last - first
    const values = plain.map((value, pair) => {
      const interpolated = clamp((pair - first) / width)
      return (interpolated * value) / factor + (1 - interpolated) * value
    })
    return { values, amplitude: attention }
  },
  longrope(plain, { short, long, attention, original }, _rope, length) {
    const divisors = length > original ? long : short
    return { values: plain.map((value, pair) => value / (divisors[pair] ?? 1)), amplitude: attention }
  },
}

function frequencies<K extends RopeScaling['kind']>(kind: K, scaling: Extract<RopeScaling, { kind: K }>, rope: Rope, length: number): Frequencies {
  const scale: Scale<K> = scalings[kind]
  return scale(basic(rope.theta, rope.dimensions), scaling, rope, length)
}

/** What the plain frequencies are divided by at short contexts, one divisor a pair: GGUF's `rope_freqs`. */
export function ropeDivisors(rope: Rope): readonly number[] {
  const { values } = frequencies(rope.scaling.kind, rope.scaling, rope, 0)
  return basic(rope.theta, rope.dimensions).map((value, pair) => value / (values[pair] ?? value))
}

/**
 * cos and sin, each [time, dimensions / 2], of positions past … past + time − 1. `length` is the context they belong to:
 * dynamic and long scalings choose their frequencies by it.
 */
export function ropeTables(rope: Rope, past: number, time: number, length = past + time): { cos: Float32Array; sin: Float32Array } {
  const { values, amplitude } = frequencies(rope.scaling.kind, rope.scaling, rope, length)
  const cos = new Float32Array(time * values.length)
  const sin = new Float32Array(time * values.length)
  for (let step = 0; step < time; step++) {
    for (const [pair, frequency] of values.entries()) {
      const angle = (past + step) * frequency
      cos[step * values.length + pair] = Math.cos(angle) * amplitude
      sin[step * values.length + pair] = Math.sin(angle) * amplitude
    }
  }
  return { cos, sin }
}
