/**
 * @file What an exported decoder computes from the attention mask [batch, total]: the lengths GroupQueryAttention wants, each
 * token's position, and from them the rotary tables of just these tokens, ALiBi's bias, or the rows of a learned table.
 * Angles are taken in double and reduced to one turn, so that they are right at any context length; no table is stored.
 */
import type { Builder } from '../graph/builder.ts'
import { alibiSlopes } from '../graph/decoder/mask.ts'
import { ropeDivisors } from '../graph/decoder/rope.ts'
import type { Rope } from '../graph/decoder/spec.ts'

export interface Positions {
  /** int32 [batch]: the last valid position of each row. */
  readonly seqlens: string
  /** int32 scalar: past and new positions. */
  readonly total: string
  /** The same as an int64 vector of one element. */
  readonly totalLength: string
  /** int64 [batch, time]. */
  readonly ids: string
}

const types = { float32: 1, int32: 6, float64: 11 } as const
const end = Number.MAX_SAFE_INTEGER

function cast(b: Builder, x: string, type: keyof typeof types): string {
  return b.one('Cast', [x], { to: { int: types[type] } })
}

/** `tokens` [batch, time] and `mask` [batch, total] are graph inputs. Rows of a padded batch count from their first token. */
export function positions(b: Builder, tokens: string, mask: string): Positions {
  const time = b.one('Shape', [tokens], { start: { int: 1 }, end: { int: 2 } })
  const totalLength = b.one('Shape', [mask], { start: { int: 1 }, end: { int: 2 } })
  const last = b.one('Sub', [b.one('ReduceSum', [mask, b.ints([1])], { keepdims: { int: 0 } }), b.ints(1)])
  const counted = b.one('Sub', [b.one('CumSum', [mask, b.ints(1)]), b.ints(1)])
  const recent = b.one('Slice', [counted, b.one('Neg', [time]), b.ints([end]), b.ints([1])])
  return {
    seqlens: cast(b, last, 'int32'),
    total: cast(b, b.one('Squeeze', [totalLength, b.ints([0])]), 'int32'),
    totalLength,
    ids: b.one('Max', [recent, b.ints(0)]),
  }
}

export interface RotaryTables {
  /** [batch · time, dimensions / 2] */
  readonly cos: string
  readonly sin: string
  /** int64 [batch, time]: the row of each token. */
  readonly rows: string
}

/** Rotary tables of the tokens at hand. */
export function rotaryTables(b: Builder, rope: Rope, { ids, totalLength }: Positions): RotaryTables {
  const steps = cast(b, b.one('Reshape', [ids, b.ints([-1, 1])]), 'float64')
  const angles = b.one('Mul', [steps, frequencies(b, rope, totalLength)])
  const reduced = cast(b, b.one('Mod', [angles, b.floats(2 * Math.PI, 'float64')], { fmod: { int: 1 } }), 'float32')
  const amplitude = rope.scaling.kind === 'yarn' || rope.scaling.kind === 'longrope' ? rope.scaling.attention : 1
  const scaled = (x: string): string => (amplitude === 1 ? x : b.one('Mul', [x, b.floats(amplitude)]))
  const count = b.one('ReduceProd', [b.one('Shape', [ids])], { keepdims: { int: 0 } })
  const rows = b.one('Reshape', [b.one('Range', [b.ints(0), count, b.ints(1)]), b.one('Shape', [ids])])
  return { cos: scaled(b.one('Cos', [reduced])), sin: scaled(b.one('Sin', [reduced])), rows }
}

/** The rope's frequencies as doubles [dimensions / 2]; those of `dynamic` and `longrope` depend on the context's length. */
function frequencies(b: Builder, { theta, dimensions, scaling }: Rope, totalLength: string): string {
  const plain = Array.from({ length: dimensions / 2 }, (_, pair) => theta ** ((-2 * pair) / dimensions))
  const constant = (values: readonly number[]): string => b.floats(values, 'float64')
  if (scaling.kind === 'longrope') {
    const divided = (divisors: readonly number[]): string => constant(plain.map((value, pair) => value / divisors[pair]))
    return b.one('Where', [b.one('Greater', [totalLength, b.ints([scaling.original])]), divided(scaling.long), divided(scaling.short)])
  }
  if (scaling.kind === 'dynamic') {
    const { factor, original } = scaling
    const length = cast(b, b.one('Max', [totalLength, b.ints([original])]), 'float64')
    const growth = b.one('Sub', [b.one('Mul', [length, constant([factor / original])]), constant([factor - 1])])
    const powers = constant(plain.map((_, pair) => (-2 * pair) / (dimensions - 2)))
    return b.one('Mul', [constant(plain), b.one('Pow', [growth, powers])])
  }
  const divisors = ropeDivisors({ theta, dimensions, scaling })
  return constant(plain.map((value, pair) => value / divisors[pair]))
}

/** ALiBi as an attention bias [1, heads, time, total]. */
export function alibiBias(b: Builder, heads: number, tokens: string, { total, totalLength }: Positions): string {
  const columns = cast(b, b.one('Range', [b.ints(0), b.one('Squeeze', [totalLength, b.ints([0])]), b.ints(1)]), 'float32')
  const distances = b.one('Sub', [columns, b.one('Sub', [cast(b, total, 'float32'), b.floats(1)])])
  const slopes = b.one('Reshape', [b.floats(alibiSlopes(heads)), b.ints([1, heads, 1, 1])])
  const time = b.one('Shape', [tokens], { start: { int: 1 }, end: { int: 2 } })
  return b.one('Expand', [b.one('Mul', [distances, slopes]), b.one('Concat', [b.ints([1, heads]), time, totalLength], { axis: { int: 0 } })])
}
