/** @file One or more small graphs for every differentiable operator. The table is typed over the set: an operator without a case does not compile. */
import type { Builder } from '../../graph/builder.ts'
import type { DataType } from '../../../../kernels/kernels.ts'
import type { DifferentiableOperator } from '../../graph/operators.ts'

type Float = 'float32' | 'float64'

export interface Case {
  readonly name: string
  /** Shapes of the floating-point inputs, and the range of their values (default −1 to 1). */
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly range?: readonly [number, number]
  /** Returns the value to differentiate, or several. */
  readonly build: (b: Builder, type: Float) => string | readonly string[]
  /** Sizes of some axes must be known: the reason why. */
  readonly fixed?: string
}

type Attributes = Parameters<Builder['one']>[2]

function node(name: string, inputs: Case['inputs'], op: string, attributes: Attributes = {}, more: Partial<Case> = {}): Case {
  return { name, inputs, build: (b) => b.one(op, Object.keys(inputs), attributes), ...more }
}

function unary(op: string, range: readonly [number, number] = [-2, 2], attributes: Attributes = {}): Case[] {
  return [node(op, { x: [2, 3, 4] }, op, attributes, { range })]
}

function constants(b: Builder, type: Float, dims: readonly number[], seed: number): string {
  const values = Array.from({ length: dims.reduce((a, c) => a * c, 1) }, (_, index) => Math.sin(seed + index * 1.3))
  return b.one('Reshape', [b.floats(values, type), b.ints(dims)])
}

const int = (value: number): { int: number } => ({ int: value })
const ints = (...values: number[]): { ints: number[] } => ({ ints: values })
const text = (value: string): { string: string } => ({ string: value })

function indices(b: Builder, values: readonly number[], dims: readonly number[]): string {
  return b.one('Reshape', [b.ints(values), b.ints(dims)])
}

function float(type: Float): DataType {
  return type
}

const binary = (op: string, range?: readonly [number, number]): Case[] => {
  const more = range === undefined ? {} : { range }
  return [
    node(`${op} of equal shapes`, { a: [2, 3], b: [2, 3] }, op, {}, more),
    node(`${op} with axes of 1`, { a: [2, 1, 4], b: [3, 1] }, op, {}, more),
    node(`${op} with a scalar`, { a: [], b: [2, 3] }, op, {}, more),
    { name: `${op} of a value with itself`, inputs: { a: [5] }, build: (b) => b.one(op, ['a', 'a']), ...more },
  ]
}

const norm = (op: string, shape: readonly number[], inputs: Readonly<Record<string, readonly number[]>>, attributes: Attributes = {}): Case =>
  node(`${op} of [${shape.join()}]`, { x: shape, ...inputs }, op, { epsilon: { float: 0.01 }, ...attributes })

const slice = (name: string, shape: readonly number[], starts: number[], ends: number[], axes: number[], steps?: number[], fixed?: string): Case => ({
  name: `Slice ${name}`,
  inputs: { x: shape },
  build: (b) => b.one('Slice', ['x', b.ints(starts), b.ints(ends), b.ints(axes), ...(steps === undefined ? [] : [b.ints(steps)])]),
  ...(fixed !== undefined && { fixed }),
})

const resize = (name: string, shape: readonly number[], scales: number[], attributes: Attributes): Case => ({
  name: `Resize ${name}`,
  inputs: { x: shape },
  fixed: 'the interpolation matrix is made from the sizes',
  build: (b) => b.one('Resize', ['x', '', b.floats(scales)], attributes),
})

const reductions = (op: string): Case[] => [
  { name: `${op} over one axis`, inputs: { x: [2, 3, 4] }, build: (b) => b.one(op, ['x', b.ints([1])]) },
  { name: `${op} over two axes, dropped`, inputs: { x: [2, 3, 4] }, build: (b) => b.one(op, ['x', b.ints([-1, 0])], { keepdims: int(0) }) },
  { name: `${op} over all axes`, inputs: { x: [2, 3] }, build: (b) => b.one(op, ['x'], { keepdims: int(0) }) },
]

export const cases = {
  Neg: unary('Neg'),
  Sqrt: unary('Sqrt', [0.3, 2]),
  Reciprocal: unary('Reciprocal', [0.5, 2]),
  Exp: unary('Exp'),
  Log: unary('Log', [0.3, 2]),
  Sin: unary('Sin'),
  Cos: unary('Cos'),
  Tanh: unary('Tanh'),
  Sigmoid: unary('Sigmoid'),
  Softplus: unary('Softplus'),
  Erf: unary('Erf'),
  Abs: unary('Abs'),
  Relu: unary('Relu'),
  LeakyRelu: [...unary('LeakyRelu'), ...unary('LeakyRelu', [-2, 2], { alpha: { float: 0.25 } })],
  Elu: unary('Elu', [-2, 2], { alpha: { float: 1.5 } }),
  Gelu: [...unary('Gelu'), ...unary('Gelu', [-2, 2], { approximate: text('tanh') })],
  HardSigmoid: unary('HardSigmoid', [-4, 4], { alpha: { float: 0.25 } }),
  HardSwish: unary('HardSwish', [-5, 5]),
  Clip: [
    node('Clip with both bounds', { x: [4, 5], low: [], high: [] }, 'Clip', {}, { build: (b, type) => b.one('Clip', ['x', b.one('Sub', ['low', b.floats(1.5, type)]), b.one('Add', ['high', b.floats(1.5, type)])]), range: [-3, 3] }),
    { name: 'Clip from above', inputs: { x: [3, 4] }, build: (b, type) => b.one('Clip', ['x', '', b.floats(0.25, type)]) },
    { name: 'Clip from below', inputs: { x: [3, 4] }, build: (b, type) => b.one('Clip', ['x', b.floats(0, type)]) },
  ],
  Add: binary('Add'),
  Sub: binary('Sub'),
  Mul: binary('Mul'),
  Div: binary('Div', [0.5, 2]),
  Pow: [
    ...binary('Pow', [0.5, 2]),
    ...[1, 2, 3, 0.5, -1.5].map((exponent): Case => ({ name: `Pow to ${exponent}`, inputs: { x: [2, 3] }, range: [0.5, 2], build: (b, type) => b.one('Pow', ['x', b.floats(exponent, type)]) })),
    { name: 'a square of negative numbers', inputs: { x: [5] }, build: (b, type) => b.one('Pow', ['x', b.floats(2, type)]) },
  ],
  Max: [...binary('Max').slice(0, 3), node('Max of three', { a: [2, 3], b: [3], c: [2, 1] }, 'Max')],
  Min: [...binary('Min').slice(0, 3), node('Min of three', { a: [2, 3], b: [3], c: [2, 1] }, 'Min')],
  Sum: [node('Sum of three', { a: [2, 3], b: [3], c: [] }, 'Sum')],
  Where: [{ name: 'Where', inputs: { a: [2, 3], b: [3], c: [2, 1] }, build: (b, type) => b.one('Where', [b.one('Greater', ['a', b.floats(0, type)]), 'b', 'c']) }],
  PRelu: [node('PRelu', { x: [2, 3, 4], slope: [3, 1] }, 'PRelu')],
  Softmax: [node('Softmax of the last axis', { x: [2, 3, 4] }, 'Softmax'), node('Softmax of an inner axis', { x: [2, 3, 4] }, 'Softmax', { axis: int(1) })],
  LogSoftmax: [node('LogSoftmax', { x: [2, 5] }, 'LogSoftmax'), node('LogSoftmax of the first axis', { x: [3, 2] }, 'LogSoftmax', { axis: int(0) })],
  MatMul: [
    node('MatMul of matrices', { a: [2, 3], b: [3, 4] }, 'MatMul'),
    node('MatMul of a batch by a weight', { a: [2, 3, 4], b: [4, 5] }, 'MatMul'),
    node('MatMul of two batches', { a: [2, 3, 2, 4], b: [2, 3, 4, 2] }, 'MatMul'),
    node('MatMul with broadcast batches', { a: [2, 1, 2, 3], b: [4, 3, 2] }, 'MatMul'),
    node('MatMul of a matrix by a batch', { a: [2, 3], b: [4, 3, 2] }, 'MatMul'),
    node('MatMul of vectors', { a: [4], b: [4] }, 'MatMul'),
    node('MatMul of a vector by a matrix', { a: [3], b: [3, 2] }, 'MatMul'),
    node('MatMul of a batch by a vector', { a: [2, 2, 3], b: [3] }, 'MatMul'),
    node('MatMul of a vector by a batch', { a: [3], b: [2, 3, 2] }, 'MatMul'),
  ],
  Gemm: [[0, 0], [0, 1], [1, 0], [1, 1]].map(([transA, transB]): Case =>
    node(`Gemm ${transA}${transB}`, { a: transA === 0 ? [2, 3] : [3, 2], b: transB === 0 ? [3, 4] : [4, 3], c: transA === 0 ? [4] : [2, 1] }, 'Gemm', { transA: int(transA), transB: int(transB), alpha: { float: 0.5 }, beta: { float: 2 } })),
  Einsum: [
    node('Einsum of matrices', { a: [2, 3], b: [3, 4] }, 'Einsum', { equation: text('ij,jk->ik') }),
    node('Einsum of attention', { a: [2, 2, 3, 2], b: [2, 3, 4, 2] }, 'Einsum', { equation: text('bhqd,bqkd->bhqk') }, { inputs: { a: [2, 2, 3, 2], b: [2, 3, 4, 2] } }),
    node('Einsum with labels summed in one operand', { a: [2, 3], b: [4, 5] }, 'Einsum', { equation: text('ij,kl->ik') }),
    node('Einsum with an ellipsis', { a: [2, 3, 4], b: [4, 2] }, 'Einsum', { equation: text('...ij,jk->...ik') }),
    node('Einsum of one operand', { a: [2, 3] }, 'Einsum', { equation: text('ij->ji') }),
    node('Einsum of an outer product', { a: [2], b: [3] }, 'Einsum', { equation: text('i,j') }),
  ],
  'halftone:QMatMul': [],
  'halftone:QMatMulScaleGrad': [],
  Conv: [
    node('Conv 3×3', { x: [2, 3, 5, 5], w: [2, 3, 3, 3], c: [2] }, 'Conv', { pads: ints(1, 1, 1, 1) }),
    node('Conv with strides', { x: [1, 2, 6, 7], w: [2, 2, 3, 2] }, 'Conv', { strides: ints(2, 3), pads: ints(1, 0, 0, 1) }),
    node('Conv with dilation', { x: [1, 2, 7, 6], w: [2, 2, 2, 3] }, 'Conv', { dilations: ints(3, 2), pads: ints(1, 2, 1, 2) }),
    node('Conv with stride and dilation', { x: [1, 1, 9, 8], w: [2, 1, 2, 2] }, 'Conv', { strides: ints(2, 2), dilations: ints(2, 3) }),
    node('Conv in groups', { x: [2, 4, 4, 4], w: [6, 2, 3, 3], c: [6] }, 'Conv', { group: int(2), pads: ints(1, 1, 1, 1), strides: ints(2, 2) }),
    node('Conv by depth', { x: [2, 3, 5, 4], w: [3, 1, 3, 3] }, 'Conv', { group: int(3), pads: ints(1, 1, 1, 1) }),
    node('Conv 1×1', { x: [2, 3, 4, 4], w: [4, 3, 1, 1] }, 'Conv'),
    node('Conv 1×1 with strides', { x: [1, 3, 5, 4], w: [2, 3, 1, 1] }, 'Conv', { strides: ints(2, 2) }),
    node('Conv in one dimension', { x: [2, 2, 8], w: [3, 2, 3], c: [3] }, 'Conv', { strides: ints(2), pads: ints(2, 1) }),
    node('Conv in three dimensions', { x: [1, 2, 3, 4, 3], w: [2, 2, 2, 2, 2] }, 'Conv', { pads: ints(0, 1, 1, 1, 0, 0), strides: ints(1, 2, 1) }),
    node('Conv with many channels', { x: [2, 16, 3, 3], w: [2, 16, 2, 2] }, 'Conv', { pads: ints(1, 0, 0, 0) }),
    node('Conv that leaves a rest', { x: [1, 1, 8, 8], w: [1, 1, 3, 3] }, 'Conv', { strides: ints(4, 3) }),
  ],
  ConvTranspose: [
    node('ConvTranspose', { x: [2, 2, 3, 3], w: [2, 3, 3, 3], c: [3] }, 'ConvTranspose', { strides: ints(2, 2), pads: ints(1, 1, 1, 1), output_padding: ints(1, 1) }),
    node('ConvTranspose in groups', { x: [1, 4, 3, 2], w: [4, 2, 2, 2] }, 'ConvTranspose', { group: int(2), strides: ints(2, 1), dilations: ints(1, 2) }),
    node('ConvTranspose in one dimension', { x: [1, 2, 4], w: [2, 1, 3] }, 'ConvTranspose', { strides: ints(3) }),
  ],
  'halftone:ConvWeightGradient': [],
  MaxPool: [
    node('MaxPool', { x: [2, 2, 4, 4] }, 'MaxPool', { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
    node('MaxPool that overlaps', { x: [1, 2, 5, 6] }, 'MaxPool', { kernel_shape: ints(3, 3), strides: ints(2, 1), pads: ints(1, 1, 1, 1) }),
    node('MaxPool with dilation', { x: [1, 1, 6, 6] }, 'MaxPool', { kernel_shape: ints(2, 2), dilations: ints(2, 3) }),
    node('MaxPool rounded up', { x: [1, 1, 5, 6] }, 'MaxPool', { kernel_shape: ints(2, 3), strides: ints(2, 2), ceil_mode: int(1) }),
    node('MaxPool in one dimension', { x: [2, 1, 6] }, 'MaxPool', { kernel_shape: ints(3), strides: ints(2) }),
  ],
  AveragePool: [
    node('AveragePool', { x: [2, 2, 4, 4] }, 'AveragePool', { kernel_shape: ints(2, 2), strides: ints(2, 2) }),
    node('AveragePool with padding', { x: [1, 2, 5, 4] }, 'AveragePool', { kernel_shape: ints(3, 3), pads: ints(1, 1, 1, 1), strides: ints(2, 1) }, { fixed: 'windows at the border hold fewer elements' }),
    node('AveragePool with padding that counts', { x: [1, 1, 5, 4] }, 'AveragePool', { kernel_shape: ints(3, 2), pads: ints(1, 1, 1, 0), count_include_pad: int(1) }),
    node('AveragePool rounded up', { x: [1, 1, 5, 6] }, 'AveragePool', { kernel_shape: ints(2, 4), strides: ints(2, 3), ceil_mode: int(1) }, { fixed: 'windows at the border hold fewer elements' }),
    node('AveragePool rounded up with padding that counts', { x: [1, 1, 6, 6] }, 'AveragePool', { kernel_shape: ints(3, 3), strides: ints(2, 2), pads: ints(0, 0, 1, 1), ceil_mode: int(1), count_include_pad: int(1) }, { fixed: 'windows at the border hold fewer elements' }),
    node('AveragePool in three dimensions', { x: [1, 1, 3, 4, 3] }, 'AveragePool', { kernel_shape: ints(2, 2, 2) }),
  ],
  GlobalAveragePool: [node('GlobalAveragePool', { x: [2, 3, 4, 2] }, 'GlobalAveragePool')],
  Resize: [
    resize('to twice the size', [1, 2, 3, 2], [1, 1, 2, 2], { mode: text('nearest'), coordinate_transformation_mode: text('asymmetric'), nearest_mode: text('floor') }),
    resize('nearest by a fraction', [1, 1, 4, 3], [1, 1, 1.5, 2.5], { mode: text('nearest') }),
    resize('to half the size', [1, 1, 6, 6], [1, 1, 0.5, 0.5], { mode: text('nearest'), nearest_mode: text('ceil') }),
    resize('linear', [2, 1, 3, 4], [1, 1, 2, 1.5], { mode: text('linear') }),
    resize('linear with aligned corners', [1, 2, 3, 3], [1, 1, 2, 3], { mode: text('linear'), coordinate_transformation_mode: text('align_corners') }),
    resize('linear of one axis', [1, 1, 5], [1, 1, 0.6], { mode: text('linear'), coordinate_transformation_mode: text('pytorch_half_pixel') }),
    resize('cubic', [1, 1, 4, 5], [1, 1, 2, 1.6], { mode: text('cubic'), coordinate_transformation_mode: text('half_pixel') }),
  ],
  BatchNormalization: [
    { name: 'BatchNormalization', inputs: { x: [2, 3, 2, 2], scale: [3], bias: [3], mean: [3], deviation: [3] }, build: (b, type) => b.one('BatchNormalization', ['x', 'scale', 'bias', 'mean', b.one('Add', [b.one('Mul', ['deviation', 'deviation']), b.floats(0.5, type)])], { epsilon: { float: 0.01 } }) },
    { name: 'BatchNormalization of vectors', inputs: { x: [4, 3], scale: [3], bias: [3], mean: [3] }, build: (b, type) => b.one('BatchNormalization', ['x', 'scale', 'bias', 'mean', b.floats([0.5, 1, 2], type)]) },
  ],
  LayerNormalization: [norm('LayerNormalization', [2, 3, 4], { scale: [4], bias: [4] }), norm('LayerNormalization', [2, 3, 4], { scale: [3, 4] }, { axis: int(1) })],
  RMSNormalization: [norm('RMSNormalization', [2, 3, 4], { scale: [4] })],
  SimplifiedLayerNormalization: [norm('SimplifiedLayerNormalization', [2, 3, 4], { scale: [4] })],
  InstanceNormalization: [norm('InstanceNormalization', [2, 3, 3, 2], { scale: [3], bias: [3] })],
  GroupNormalization: [norm('GroupNormalization', [2, 4, 3, 2], { scale: [4], bias: [4] }, { num_groups: int(2) })],
  Identity: unary('Identity'),
  Cast: [{ name: 'Cast and back', inputs: { x: [3] }, build: (b, type) => b.one('Mul', [b.one('Cast', [b.one('Cast', ['x'], { to: int(11) })], { to: int(float(type) === 'float64' ? 11 : 1) }), 'x']) }],
  Dropout: [{ name: 'Dropout', inputs: { x: [2, 3] }, build: (b) => b.one('Dropout', ['x', b.floats(0.5)]) }],
  Reshape: [
    { name: 'Reshape', inputs: { x: [2, 6] }, build: (b) => b.one('Reshape', ['x', b.ints([3, 4])]), fixed: 'the shape asked for is a fixed one' },
    { name: 'Reshape with a size left open', inputs: { x: [2, 3, 4] }, build: (b) => b.one('Reshape', ['x', b.ints([0, -1])]) },
  ],
  Flatten: [node('Flatten', { x: [2, 3, 2] }, 'Flatten'), node('Flatten at the end', { x: [2, 3, 2] }, 'Flatten', { axis: int(-1) })],
  Squeeze: [{ name: 'Squeeze', inputs: { x: [2, 1, 3, 1] }, build: (b) => b.one('Squeeze', ['x', b.ints([1, -1])]) }],
  Unsqueeze: [{ name: 'Unsqueeze', inputs: { x: [2, 3] }, build: (b) => b.one('Unsqueeze', ['x', b.ints([0, -1])]) }],
  Transpose: [node('Transpose', { x: [2, 3, 4] }, 'Transpose', { perm: ints(1, 2, 0) }), node('Transpose reversed', { x: [2, 3, 4] }, 'Transpose')],
  Expand: [
    { name: 'Expand', inputs: { x: [3, 1] }, build: (b) => b.one('Expand', ['x', b.ints([2, 1, 4])]) },
    { name: 'Expand to the shape of another', inputs: { x: [1, 3], like: [2, 3] }, build: (b) => b.one('Mul', [b.one('Expand', ['x', b.one('Shape', ['like'])]), 'like']) },
  ],
  Tile: [{ name: 'Tile', inputs: { x: [2, 3] }, build: (b) => b.one('Tile', ['x', b.ints([2, 3])]) }],
  Pad: [
    { name: 'Pad', inputs: { x: [2, 3] }, build: (b, type) => b.one('Pad', ['x', b.ints([1, 0, 0, 2]), b.floats(0.5, type)]) },
    { name: 'Pad that cuts', inputs: { x: [4, 3] }, build: (b) => b.one('Pad', ['x', b.ints([-1, 1, -2, 0])]) },
    { name: 'Pad of named axes', inputs: { x: [2, 3, 2] }, build: (b) => b.one('Pad', ['x', b.ints([1, 2]), '', b.ints([-1])]) },
  ],
  Concat: [node('Concat', { a: [2, 3], b: [2, 1], c: [2, 2] }, 'Concat', { axis: int(1) }), { name: 'Concat with a constant', inputs: { a: [2, 2] }, build: (b, type) => b.one('Concat', [constants(b, type, [1, 2], 3), 'a'], { axis: int(-2) }) }],
  Split: [
    { name: 'Split in parts, one unused', inputs: { x: [2, 6] }, build: (b) => { const [first, , last] = b.node('Split', ['x', b.ints([1, 3, 2])], { axis: int(1) }, { outputs: 3 }); return [first, last] } },
    { name: 'Split in halves', inputs: { x: [4, 2] }, build: (b) => { const [first, second] = b.node('Split', ['x'], { axis: int(0), num_outputs: int(2) }, { outputs: 2 }); return b.one('Mul', [first, second]) }, fixed: 'halves of an unknown number may differ' },
  ],
  Slice: [
    slice('inside', [4, 5], [1, 1], [3, 4], [0, 1]),
    slice('to the end', [3, 5], [2], [Number.MAX_SAFE_INTEGER], [1]),
    slice('from the end', [3, 5], [-3], [-1], [-1]),
    slice('with steps', [7, 4], [1, 0], [7, 4], [0, 1], [3, 2], 'how many steps fit depends on the size'),
    slice('with a step to the end', [6, 3], [0], [Number.MAX_SAFE_INTEGER], [0], [2]),
    slice('backwards', [5, 2], [4], [-Number.MAX_SAFE_INTEGER], [0], [-1]),
  ],
  Trilu: [node('Trilu', { x: [2, 3, 3] }, 'Trilu'), { name: 'Trilu below', inputs: { x: [3, 4] }, build: (b) => b.one('Trilu', ['x', b.ints(1)], { upper: int(0) }) }],
  Gather: [
    { name: 'Gather of rows, some twice', inputs: { x: [4, 3] }, build: (b) => b.one('Gather', ['x', indices(b, [1, 3, 1, -4], [2, 2])]) },
    { name: 'Gather on an inner axis', inputs: { x: [2, 4, 3] }, build: (b) => b.one('Gather', ['x', indices(b, [0, 2, 2], [3])], { axis: int(1) }) },
    { name: 'Gather of one', inputs: { x: [2, 4, 3] }, build: (b) => b.one('Gather', ['x', b.ints(-1)], { axis: int(1) }) },
    { name: 'Gather of one, kept', inputs: { x: [3, 2] }, build: (b) => b.one('Gather', ['x', b.ints([1])], { axis: int(0) }) },
  ],
  GatherElements: [{ name: 'GatherElements', inputs: { x: [3, 3] }, build: (b) => b.one('GatherElements', ['x', indices(b, [0, 1, 0, 2, 2, 1], [2, 3])], { axis: int(0) }) }],
  GatherND: [{ name: 'GatherND', inputs: { x: [3, 4, 2] }, build: (b) => b.one('GatherND', ['x', indices(b, [0, 1, 2, 3, 0, 1], [3, 2])]) }],
  ScatterElements: [
    { name: 'ScatterElements', inputs: { x: [3, 3], u: [2, 2] }, build: (b) => b.one('ScatterElements', ['x', indices(b, [0, 2, 1, 0], [2, 2]), 'u'], { axis: int(1) }) },
    { name: 'ScatterElements that adds', inputs: { x: [3, 3], u: [2, 3] }, build: (b) => b.one('ScatterElements', ['x', indices(b, [0, 2, 1, 0, 1, 1], [2, 3]), 'u'], { axis: int(0), reduction: text('add') }) },
  ],
  ScatterND: [
    { name: 'ScatterND', inputs: { x: [4, 2], u: [2, 2] }, build: (b) => b.one('ScatterND', ['x', indices(b, [2, 0], [2, 1]), 'u']) },
    { name: 'ScatterND that adds', inputs: { x: [4, 2], u: [3, 2] }, build: (b) => b.one('ScatterND', ['x', indices(b, [2, 0, 2], [3, 1]), 'u'], { reduction: text('add') }) },
  ],
  TopK: [{ name: 'TopK', inputs: { x: [2, 5] }, build: (b) => b.node('TopK', ['x', b.ints([2])], {}, { outputs: 2 })[0] }],
  CumSum: [
    { name: 'CumSum', inputs: { x: [2, 4] }, build: (b) => b.one('CumSum', ['x', b.ints(1)]) },
    { name: 'CumSum from the end, exclusive', inputs: { x: [3, 2] }, build: (b) => b.one('CumSum', ['x', b.ints(0)], { reverse: int(1), exclusive: int(1) }) },
  ],
  ReduceSum: [...reductions('ReduceSum'), { name: 'ReduceSum over nothing', inputs: { x: [2, 3] }, build: (b) => b.one('ReduceSum', ['x', b.ints([])], { noop_with_empty_axes: int(1) }) }],
  ReduceMean: reductions('ReduceMean'),
  ReduceMax: reductions('ReduceMax'),
  ReduceMin: reductions('ReduceMin'),
} satisfies Record<DifferentiableOperator, readonly Case[]>
