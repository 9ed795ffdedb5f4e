/**
 * @file Attention of one block: softmax(scale · rope(q) rope(k)ᵀ + mask) v. Query heads that share a key head are laid out
 * side by side ([batch, kv, group · time, size]), so grouped heads cost no copies of k and v.
 */
import type { Builder } from '../builder.ts'
import { rmsNorm, softCap } from './layers.ts'
import type { DecoderSpec } from './spec.ts'

export interface AttentionInputs {
  /** Projections, [batch · time, heads · size]. */
  readonly q: string
  readonly k: string
  readonly v: string
  /** [time] as an int64 vector of one element. */
  readonly time: string
  /** Take the keys and values of earlier positions. */
  readonly cache: boolean
  /** Parts that the key heads are taken in, one after the other: scores of one part are alive at a time. Divides their number. */
  readonly pieces: number
}

export interface AttentionOutputs {
  /** [batch · time, heads · size] */
  readonly context: string
  /** Of these positions, [batch, kv, time, size]. */
  readonly keys: string
  readonly values: string
}

/** [batch · time, groups… · size] → [batch, groups…, time, size] */
function splitHeads(b: Builder, x: string, time: string, groups: readonly number[], size: number): string {
  const shape = b.one('Concat', [b.ints([-1]), time, b.ints([...groups, size])], { axis: { int: 0 } })
  const axes = groups.map((_, axis) => axis + 2)
  return b.one('Transpose', [b.one('Reshape', [x, shape])], { perm: { ints: [0, ...axes, 1, groups.length + 2] } })
}

/** Rotates the first dimensions of every head; cos and sin are [time, dimensions / 2]. */
function rotate(b: Builder, x: string, dimensions: number, size: number, cos: string, sin: string): string {
  const half = dimensions / 2
  const sizes = dimensions === size ? [half, half] : [half, half, size - dimensions]
  const [first = '', second = '', ...rest] = b.node('Split', [x, b.ints(sizes)], { axis: { int: -1 } }, { outputs: sizes.length })
  const turned = [
    b.one('Sub', [b.one('Mul', [first, cos]), b.one('Mul', [second, sin])]),
    b.one('Add', [b.one('Mul', [second, cos]), b.one('Mul', [first, sin])]),
  ]
  return b.one('Concat', [...turned, ...rest], { axis: { int: -1 } })
}

/** Adds the attention of a block and the graph inputs it needs: mask; cos, sin or bias; q_norm, k_norm; past_k, past_v. */
export function attention(b: Builder, spec: DecoderSpec, { q, k, v, time, cache, pieces }: AttentionInputs): AttentionOutputs {
  const { heads, kvHeads, headSize } = spec
  let queries = splitHeads(b, q, time, [kvHeads, heads / kvHeads], headSize)
  let keys = splitHeads(b, k, time, [kvHeads], headSize)
  let values = splitHeads(b, v, time, [kvHeads], headSize)
  if (spec.qkNorm) {
    queries = rmsNorm(b, queries, b.input('q_norm', 'float32', [headSize]), spec.norm.epsilon)
    keys = rmsNorm(b, keys, b.input('k_norm', 'float32', [headSize]), spec.norm.epsilon)
  }
  if (spec.positions.kind === 'rope') {
    const { dimensions } = spec.positions.rope
    const cos = b.input('cos', 'float32', ['time', dimensions / 2])
    const sin = b.input('sin', 'float32', ['time', dimensions / 2])
    queries = rotate(b, queries, dimensions, headSize, cos, sin)
    keys = rotate(b, keys, dimensions, headSize, cos, sin)
  }
  const own = { keys, values }
  if (cache) {
    const past = ['batch', kvHeads, 'past', headSize] as const
    keys = b.one('Concat', [b.input('past_k', 'float32', past), keys], { axis: { int: 2 } })
    values = b.one('Concat', [b.input('past_v', 'float32', past), values], { axis: { int: 2 } })
  }
  const bias = spec.positions.kind === 'alibi' ? b.input('bias', 'float32', [heads, 1, 'total']) : null
  const mask = b.input('mask', 'float32', ['time', 'total'])
  const perHead = b.one('Concat', [b.ints([0, heads / pieces]), time, b.ints([-1])], { axis: { int: 0 } })
  const split = (x: string, axis: number): readonly string[] => (pieces === 1 ? [x] : b.node('Split', [x], { axis: { int: axis }, num_outputs: { int: pieces } }, { outputs: pieces }))
  const grouped = b.one('Reshape', [queries, b.ints([0, kvHeads, -1, headSize])])
  const [keyParts, valueParts, biasParts] = [split(keys, 1), split(values, 1), bias === null ? [] : split(bias, 0)]
  const mixed = split(grouped, 1).map((query, piece) => {
    const transposed = b.one('Transpose', [keyParts[piece] ?? ''], { perm: { ints: [0, 1, 3, 2] } })
    const products = b.one('MatMul', [b.one('Mul', [query, b.floats(spec.attentionScale)]), transposed])
    let scores = softCap(b, b.one('Reshape', [products, perHead]), spec.attentionCap)
    const ownBias = biasParts[piece]
    if (ownBias !== undefined) scores = b.one('Add', [scores, ownBias])
    scores = b.one('Add', [scores, mask])
    const weights = b.one('Reshape', [b.one('Softmax', [scores], { axis: { int: -1 } }), b.one('Shape', [products])])
    return b.one('Reshape', [b.one('MatMul', [weights, valueParts[piece] ?? '']), b.ints([0, kvHeads / pieces, heads / kvHeads, -1, headSize])])
  })
  const joined = pieces === 1 ? mixed[0] ?? '' : b.one('Concat', mixed, { axis: { int: 1 } })
  const context = b.one('Reshape', [b.one('Transpose', [joined], { perm: { ints: [0, 3, 1, 2, 4] } }), b.ints([-1, heads * headSize])])
  return { context, ...own }
}
