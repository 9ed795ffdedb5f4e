/** @file Normalizations written by the operators of the set. */
import type { Form } from './form.ts'

/** Until set 20 scale and bias were per group; they are repeated for every channel of the group. */
export const groupNormalization: Form = (g, node) => {
  const [x, scale, bias] = node.inputs
  const groups = node.int('num_groups', 1)
  if (node.version >= 21) return null
  const channels = Number(g.shape(x)[1])
  const spread = (value: string): string => g.reshape(g.one('Expand', [g.unsqueeze(value, [1]), g.ints([groups, channels / groups])]), [channels])
  return [g.one('GroupNormalization', [x, spread(scale), spread(bias)], node.node.attributes)]
}

export const meanVariance: Form = (g, node) => {
  const [x] = node.inputs
  const axes = node.ints('axes') ?? [0, 2, 3]
  const centered = g.sub(x, g.mean(x, axes))
  return [g.div(centered, g.add(g.unary('Sqrt', g.mean(g.mul(centered, centered), axes)), g.scalar(1e-9, x)))]
}

export const lpNormalization: Form = (g, node) => {
  const [x] = node.inputs
  const rank = g.rank(x)
  const axis = node.int('axis', -1)
  const axes = [axis < 0 ? axis + rank : axis]
  const norm = node.int('p', 2) === 1 ? g.sum(g.unary('Abs', x), axes, true) : g.unary('Sqrt', g.sum(g.mul(x, x), axes, true))
  return [g.div(x, norm)]
}

/** x / (bias + α / size · Σ x²)^β over neighbouring channels (Krizhevsky et al. 2012). */
export const localResponse: Form = (g, node) => {
  const [x] = node.inputs
  const size = node.int('size', 1)
  const before = Math.floor((size - 1) / 2)
  const rank = g.rank(x)
  const pads = new Array<number>(2 * rank).fill(0)
  pads[1] = before
  pads[rank + 1] = size - 1 - before
  const squares = g.one('Pad', [g.mul(x, x), g.ints(pads)])
  const channels = Number(g.shape(x)[1])
  const windows = Array.from({ length: size }, (_, start) => g.slice(squares, 1, start, start + channels))
  const total = size === 1 ? windows[0] : g.one('Sum', windows)
  const base = g.add(g.scalar(node.float('bias', 1), x), g.scale(total, node.float('alpha', 1e-4) / size))
  return [g.div(x, g.one('Pow', [base, g.scalar(node.float('beta', 0.75), x)]))]
}

/** ONNX Runtime's fusions of a sum and a norm; the sum may be an output of its own. */
export const skipLayerNormalization: Form = (g, node) => {
  const [x, skip, scale, beta = '', bias = ''] = node.inputs
  const sum = bias === '' ? g.add(x, skip) : g.add(g.add(x, skip), bias)
  return [g.one('LayerNormalization', [sum, scale, ...(beta === '' ? [] : [beta])], { axis: { int: -1 }, epsilon: { float: node.float('epsilon', 1e-12) } }), '', '', sum]
}

export const skipSimplified: Form = (g, node) => {
  const [x, skip, scale, bias = ''] = node.inputs
  const sum = bias === '' ? g.add(x, skip) : g.add(g.add(x, skip), bias)
  return [g.one('SimplifiedLayerNormalization', [sum, scale], { axis: { int: -1 }, epsilon: { float: node.float('epsilon', 1e-12) } }), '', '', sum]
}

/** α A′ B′ with the last axes transposed by attribute. */
export const fusedMatmul: Form = (g, node) => {
  const [a, b] = node.inputs
  if (node.int('transBatchA', 0) !== 0 || node.int('transBatchB', 0) !== 0) return null
  const product = g.matmul(node.int('transA', 0) === 0 ? a : g.swap(a), node.int('transB', 0) === 0 ? b : g.swap(b))
  return [g.scale(product, node.float('alpha', 1))]
}
