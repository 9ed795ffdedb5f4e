/**
 * @file Pieces of the decoder graphs: norms, activations, linear layers. Standard operators only, in forms that both ONNX
 * Runtime's fusions and differentiation know. Activations of linear layers are two-dimensional: [rows, features].
 */
import type { Builder } from '../builder.ts'
import type { Dimension } from '../graph.ts'
import type { Activation, DecoderSpec } from './spec.ts'

/** Root mean square norm over the last axis: x / √(mean x² + ε) · w. */
export function rmsNorm(b: Builder, x: string, weight: string, epsilon: number): string {
  const mean = b.one('ReduceMean', [b.one('Pow', [x, b.floats(2)]), b.ints([-1])], { keepdims: { int: 1 } })
  return b.one('Mul', [b.one('Div', [x, b.one('Sqrt', [b.one('Add', [mean, b.floats(epsilon)])])]), weight])
}

/** Layer norm over the last axis: (x − mean) / √(var + ε) · w + b. */
export function layerNorm(b: Builder, x: string, weight: string, bias: string, epsilon: number): string {
  const centred = b.one('Sub', [x, b.one('ReduceMean', [x, b.ints([-1])], { keepdims: { int: 1 } })])
  const variance = b.one('ReduceMean', [b.one('Pow', [centred, b.floats(2)]), b.ints([-1])], { keepdims: { int: 1 } })
  const scaled = b.one('Div', [centred, b.one('Sqrt', [b.one('Add', [variance, b.floats(epsilon)])])])
  return b.one('Add', [b.one('Mul', [scaled, weight]), bias])
}

/** The model's norm with the weights of graph inputs `name` (and `name`.bias), which it declares. */
export function norm(b: Builder, spec: DecoderSpec, x: string, name: string): string {
  const weight = b.input(name, 'float32', [spec.hidden])
  if (spec.norm.kind === 'rms') return rmsNorm(b, x, weight, spec.norm.epsilon)
  return layerNorm(b, x, weight, b.input(`${name}.bias`, 'float32', [spec.hidden]), spec.norm.epsilon)
}

/** cap · tanh(x / cap), or x where there is no cap. */
export function softCap(b: Builder, x: string, cap: number | null): string {
  return cap === null ? x : b.one('Mul', [b.one('Tanh', [b.one('Div', [x, b.floats(cap)])]), b.floats(cap)])
}

/** Element-wise activations, by the spec's name. */
export const activations: Readonly<Record<Activation, (b: Builder, x: string) => string>> = {
  relu: (b, x) => b.one('Relu', [x]),
  silu: (b, x) => b.one('Mul', [x, b.one('Sigmoid', [x])]),
  gelu: (b, x) => b.one('Mul', [b.one('Mul', [x, b.one('Add', [b.one('Erf', [b.one('Div', [x, b.floats(Math.SQRT2)])]), b.floats(1)])]), b.floats(0.5)]),
  'gelu-tanh'(b, x) {
    const cubic = b.one('Add', [x, b.one('Mul', [b.one('Pow', [x, b.floats(3)]), b.floats(0.044715)])])
    const bell = b.one('Tanh', [b.one('Mul', [cubic, b.floats(Math.sqrt(2 / Math.PI))])])
    return b.one('Mul', [b.one('Mul', [x, b.one('Add', [bell, b.floats(1)])]), b.floats(0.5)])
  },
}

/** A low-rank branch beside a weight: y += (x Aᵀ) Bᵀ with A [rank, in], B [out, rank]. */
export interface Branch {
  readonly rank: number
}

/** How the weight of a linear layer enters the graph: as dense floats, or as the codes, scales and zero points of Halftone's QMatMul. */
export type LinearKind =
  | { readonly weight: 'dense'; readonly branch?: Branch }
  | { readonly weight: 'packed'; readonly bits: 2 | 3 | 4 | 8; /** Weights that share a scale; a whole row where it is 0. */ readonly group: number; readonly zeros: boolean; readonly branch?: Branch }

export interface LinearOptions {
  readonly name: string
  /** [out, in] */
  readonly shape: readonly [Dimension, number]
  readonly bias: boolean
  readonly kind?: LinearKind | undefined
}

const products: { readonly [K in LinearKind['weight']]: (b: Builder, x: string, options: LinearOptions, kind: Extract<LinearKind, { weight: K }>) => string } = {
  dense(b, x, { name, shape, bias }) {
    const inputs = [x, b.input(name, 'float32', shape), ...(bias ? [b.input(`${name}.bias`, 'float32', [shape[0]])] : [])]
    return b.one('Gemm', inputs, { transB: { int: 1 } })
  },
  packed(b, x, { name, shape: [out, cols], bias }, { bits, group, zeros }) {
    const groups = group === 0 ? 1 : cols / group
    const weight = [
      b.input(`${name}.codes`, 'uint8', [out, Math.ceil((cols * bits) / 8)]),
      b.input(`${name}.scales`, 'float32', [out, groups]),
      ...(zeros ? [b.input(`${name}.zeros`, 'float32', [out, groups])] : []),
    ]
    const y = b.one('QMatMul', [x, ...weight], { K: { int: cols }, bits: { int: bits }, group: { int: group } }, { domain: 'halftone' })
    return bias ? b.one('Add', [y, b.input(`${name}.bias`, 'float32', [out])]) : y
  },
}

/** x [rows, in] · Wᵀ + bias → [rows, out], with the weight's graph inputs declared under `name`; a branch adds `name`.a and `name`.b. */
export function linear(b: Builder, x: string, options: LinearOptions): string {
  const kind = options.kind ?? { weight: 'dense' }
  const y = kind.weight === 'dense' ? products.dense(b, x, options, kind) : products.packed(b, x, options, kind)
  if (kind.branch === undefined) return y
  const { rank } = kind.branch
  const narrow = b.one('Gemm', [x, b.input(`${options.name}.a`, 'float32', [rank, options.shape[1]])], { transB: { int: 1 } })
  return b.one('Add', [y, b.one('Gemm', [narrow, b.input(`${options.name}.b`, 'float32', [options.shape[0], rank])], { transB: { int: 1 } })])
}
