/**
 * @file Gradients are checked in double precision. Operators for which ONNX Runtime has no double kernel (Erf, LeakyRelu,
 * PRelu, Elu, Softplus, Gelu, HardSigmoid, HardSwish, Conv, ConvTranspose, AveragePool, GlobalAveragePool,
 * InstanceNormalization, Resize) are written here by operators that have one; each is held against the float kernel.
 */
import { createAlgebra, type Algebra, type Part } from '../../graph/algebra.ts'
import { createEmitter } from '../../graph/emitter.ts'
import { windowOf, type Window } from '../../graph/shapes/convolution.ts'
import { viewNode, type NodeView } from '../../graph/shapes/rule.ts'
import { resizeMap } from '../resize-map.ts'
import type { Graph } from '../../graph/graph.ts'

type Form = (g: Algebra, view: NodeView, inputs: readonly string[]) => string

/** erf x = 2/√π e^(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!: all terms of one sign, so no digits are lost. */
const ERF_TERMS = 90

function erf(g: Algebra, x: string): string {
  const square = g.mul(x, x)
  let sum = g.scalar(1, x)
  for (let n = ERF_TERMS; n >= 1; n--) sum = g.add(g.scalar(1, x), g.mul(g.scale(square, 2 / (2 * n + 1)), sum))
  return g.mul(g.scale(g.mul(x, sum), 2 / Math.sqrt(Math.PI)), g.unary('Exp', g.neg(square)))
}

function hardSigmoid(g: Algebra, x: string, alpha: number, beta: number): string {
  return g.one('Clip', [g.add(g.scale(x, alpha), g.scalar(beta, x)), g.scalar(0, x), g.scalar(1, x)])
}

function ifPositive(g: Algebra, x: string, yes: string, no: string): string {
  return g.where(g.compare('Greater', x, g.scalar(0, x)), yes, no)
}

function places(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((all, size) => all.flatMap((place) => Array.from({ length: size }, (_, at) => [...place, at])), [[]])
}

/** Zeros around and between: x padded, then one strided slice per place of the kernel, all of `counts` elements. */
function patches(g: Algebra, x: string, window: Window, counts: readonly number[]): string[] {
  const { kernel, strides, dilations, pads } = window
  const rank = kernel.length
  const room = 64 // more than any window reaches beyond the end
  const padded = g.one('Pad', [x, g.ints([0, 0, ...pads.slice(0, rank), 0, 0, ...kernel.map(() => room)])])
  const axes = kernel.map((_, axis) => axis + 2)
  return places(kernel).map((place) => {
    const starts = place.map((at, axis) => at * dilations[axis])
    const ends = starts.map((start, axis) => start + (counts[axis] - 1) * strides[axis] + 1)
    return g.one('Slice', [padded, g.ints(starts), g.ints(ends), g.ints(axes), g.ints(strides)])
  })
}

/** Sizes of the spatial axes of the node's result. */
function countsOf(g: Algebra, view: NodeView, inputs: readonly string[]): number[] {
  const node = g.one(view.node.op, inputs, view.node.attributes)
  return g.shape(node).slice(2).map(Number)
}

function conv(g: Algebra, view: NodeView, inputs: readonly string[]): string {
  const [x, w, bias = ''] = inputs
  const group = view.int('group', 1)
  const kernel = g.shape(w).slice(2).map(Number)
  const counts = countsOf(g, view, inputs)
  const [outputs, perGroup] = g.shape(w).map(Number)
  const terms = patches(g, x, windowOf(view, kernel), counts).map((patch, index) => {
    const place = places(kernel)[index]
    const taps = g.reshape(g.one('Slice', [w, g.ints(place), g.ints(place.map((at) => at + 1)), g.ints(kernel.map((_, axis) => axis + 2))]), [1, group, outputs / group, perGroup])
    return g.matmul(taps, g.reshape(patch, [[x, 0], group, perGroup, -1]))
  })
  const y = g.reshape(terms.reduce((a, b) => g.add(a, b)), [[x, 0], outputs, ...counts])
  return bias === '' ? y : g.add(y, g.unsqueeze(bias, kernel.map((_, axis) => axis + 1)))
}

/** By its definition: every element of x puts its multiple of the kernel into y. */
function convTranspose(g: Algebra, view: NodeView, inputs: readonly string[]): string {
  const [x, w, bias = ''] = inputs
  const group = view.int('group', 1)
  const kernel = g.shape(w).slice(2).map(Number)
  const { strides, dilations, pads } = windowOf(view, kernel)
  const counts = countsOf(g, view, inputs)
  const channels = Number(g.shape(x)[1])
  const perGroup = Number(g.shape(w)[1])
  const sizes = g.shape(x).slice(2).map(Number)
  const terms = places(kernel).map((place) => {
    const taps = g.reshape(g.one('Slice', [w, g.ints(place), g.ints(place.map((at) => at + 1)), g.ints(kernel.map((_, axis) => axis + 2))]), [1, group, channels / group, perGroup])
    const product = g.matmul(g.swap(taps), g.reshape(x, [[x, 0], group, channels / group, -1]))
    let spread = g.reshape(product, [[x, 0], group * perGroup, ...sizes])
    sizes.forEach((size, axis) => {
      if (strides[axis] === 1) return
      const before = sizes.slice(0, axis).map((done, at) => done * strides[at])
      const wide = new Array<number>(2 * (kernel.length + 3)).fill(0)
      wide[kernel.length + 3 + axis + 3] = strides[axis] - 1
      const open = g.reshape(spread, [[x, 0], group * perGroup, ...before, size, 1, ...sizes.slice(axis + 1)])
      spread = g.reshape(g.one('Pad', [open, g.ints(wide)]), [[x, 0], group * perGroup, ...before, size * strides[axis], ...sizes.slice(axis + 1)])
    })
    const begins = place.map((at, axis) => at * dilations[axis] - pads[axis])
    const ends = counts.map((count, axis) => count - begins[axis] - sizes[axis] * strides[axis])
    return g.one('Pad', [spread, g.ints([0, 0, ...begins, 0, 0, ...ends])])
  })
  const y = terms.reduce((a, b) => g.add(a, b))
  return bias === '' ? y : g.add(y, g.unsqueeze(bias, kernel.map((_, axis) => axis + 1)))
}

function averagePool(g: Algebra, view: NodeView, inputs: readonly string[]): string {
  const [x] = inputs
  const window = windowOf(view, view.ints('kernel_shape') ?? [])
  const counts = countsOf(g, view, inputs)
  const sum = (value: string): string => patches(g, value, window, counts).reduce((a, b) => g.add(a, b))
  const ones = g.expandLike(g.scalar(1, x), x)
  const rank = window.kernel.length
  // Padding that counts is ones too; what a rounded-up size reaches beyond it is not.
  const counted = view.int('count_include_pad', 0) === 1 ? g.one('Pad', [ones, g.ints([0, 0, ...window.pads.slice(0, rank), 0, 0, ...window.pads.slice(rank)]), g.scalar(1, x)]) : ones
  const counting = view.int('count_include_pad', 0) === 1 ? { ...window, pads: window.pads.map(() => 0) } : window
  return g.div(sum(x), patches(g, counted, counting, counts).reduce((a, b) => g.add(a, b)))
}

function instanceNormalization(g: Algebra, view: NodeView, [x, scale, bias]: readonly string[]): string {
  const axes = g.shape(x).slice(2).map((_, axis) => axis + 2)
  const centered = g.sub(x, g.mean(x, axes))
  const deviation = g.unary('Sqrt', g.add(g.mean(g.mul(centered, centered), axes), g.scalar(view.float('epsilon', 1e-5), x)))
  const channels = (value: string): string => g.unsqueeze(value, axes.map((axis) => axis - 1))
  return g.add(g.mul(g.div(centered, deviation), channels(scale)), channels(bias))
}

/** ONNX Runtime has a double form, but takes the statistics in single precision. */
function groupNormalization(g: Algebra, view: NodeView, [x, scale, bias]: readonly string[]): string {
  const grouped = g.reshape(x, [[x, 0], view.int('num_groups', 1), -1])
  const centered = g.sub(grouped, g.mean(grouped, [2]))
  const deviation = g.unary('Sqrt', g.add(g.mean(g.mul(centered, centered), [2]), g.scalar(view.float('epsilon', 1e-5), x)))
  const channels = (value: string): string => g.unsqueeze(value, g.shape(x).slice(2).map((_, axis) => axis + 1))
  return g.add(g.mul(g.reshapeLike(g.div(centered, deviation), x), channels(scale)), channels(bias))
}

function resize(g: Algebra, view: NodeView, inputs: readonly string[]): string {
  const y = g.one('Resize', inputs, view.node.attributes)
  const node = { ...view, inputs, outputs: [y], dy: '', dys: [] }
  return g.shape(y).reduce<string>((value, _, axis) => {
    const map = resizeMap(g, node, axis)
    if (map === null) return value
    const parts = g.shape(value).map((size, at): Part => (typeof size === 'number' ? size : [value, at]))
    const after = parts.slice(axis + 1).map(Number).reduce((a, b) => a * b, 1)
    const product = g.matmul(g.tensor(map.matrix, [map.rows, map.columns], value), g.reshape(value, [-1, map.columns, after]))
    return g.reshape(product, [...parts.slice(0, axis), map.rows, ...parts.slice(axis + 1)])
  }, inputs[0])
}

const forms: Readonly<Record<string, Form>> = {
  Erf: (g, _view, [x]) => erf(g, x),
  Gelu: (g, view, [x]) => (view.text('approximate', 'none') === 'tanh' ? g.one('Gelu', [x], view.node.attributes) : g.scale(g.mul(x, g.add(g.scalar(1, x), erf(g, g.scale(x, Math.SQRT1_2)))), 0.5)),
  LeakyRelu: (g, view, [x]) => ifPositive(g, x, x, g.scale(x, view.float('alpha', 0.01))),
  PRelu: (g, _view, [x, slope]) => ifPositive(g, x, x, g.mul(x, slope)),
  Elu: (g, view, [x]) => ifPositive(g, x, x, g.scale(g.sub(g.unary('Exp', x), g.scalar(1, x)), view.float('alpha', 1))),
  Softplus: (g, _view, [x]) => g.unary('Log', g.add(g.scalar(1, x), g.unary('Exp', x))),
  HardSigmoid: (g, view, [x]) => hardSigmoid(g, x, view.float('alpha', 0.2), view.float('beta', 0.5)),
  HardSwish: (g, _view, [x]) => g.mul(x, hardSigmoid(g, x, 1 / 6, 0.5)),
  Conv: conv,
  ConvTranspose: convTranspose,
  AveragePool: averagePool,
  GlobalAveragePool: (g, _view, [x]) => g.mean(x, g.shape(x).slice(2).map((_, axis) => axis + 2)),
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  Resize: resize,
}

/** The same graph by operators with double kernels. */
export function toDouble(graph: Graph): Graph {
  const g = createAlgebra(createEmitter(graph.opset))
  g.reserve(graph)
  for (const { name, type, shape } of graph.inputs) g.input(name, type, shape)
  for (const value of graph.initializers.values()) g.initializer(value)
  for (const node of graph.nodes) {
    const form = forms[node.op]
    if (form === undefined) g.copy(node)
    else g.alias(node.outputs[0], form(g, viewNode(node, 21), node.inputs.map((input) => g.resolve(input))))
  }
  return g.build(graph.name, graph.outputs.map(({ name }) => [name, name]))
}
