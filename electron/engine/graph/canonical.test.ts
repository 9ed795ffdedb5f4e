import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createBuilder, type Builder } from './builder.ts'
import { canonical } from './canonical.ts'
import { open, random } from '../autodiff/check/run.ts'
import { isOperator, operatorName } from './operators.ts'
import { readModel } from './read.ts'
import { inferShapes } from './shapes/infer.ts'
import type { Tensor } from '../../../kernels/kernels.ts'
import type { Attribute } from './graph.ts'

interface Old {
  readonly name: string
  readonly opset: number
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly build: (b: Builder) => string | readonly string[]
  readonly range?: readonly [number, number]
}

const int = (value: number): Attribute => ({ int: value })
const float = (value: number): Attribute => ({ float: value })
const ints = (...values: number[]): Attribute => ({ ints: values })
const text = (value: string): Attribute => ({ string: value })

function old(opset: number, op: string, inputs: Old['inputs'], attributes: Record<string, Attribute> = {}, more: { domain?: string; outputs?: number; range?: readonly [number, number] } = {}): Old {
  const { domain = '', outputs = 1, range } = more
  const name = `${op} of set ${opset} ${JSON.stringify(attributes)}`
  return { name, opset, inputs, build: (b) => b.node(op, Object.keys(inputs), attributes, { domain, outputs }), ...(range !== undefined && { range }) }
}

const image = { x: [2, 4, 5, 6] }
const spellings: readonly Old[] = [
  old(11, 'Squeeze', { x: [2, 1, 3] }, { axes: ints(1) }),
  old(11, 'Squeeze', { x: [2, 1, 3, 1] }),
  old(11, 'Unsqueeze', { x: [2, 3] }, { axes: ints(0, -1) }),
  ...['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare', 'ReduceLogSumExp'].map((op) => old(11, op, { x: [2, 3, 4] }, { axes: ints(-1, 0), keepdims: int(0) })),
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSumExp', 'ReduceLogSum'].map((op) => old(18, op, { x: [2, 3] }, {}, { range: [0.5, 2] })),
  ...[0, 1, 2, -1].map((axis) => old(11, 'Softmax', { x: [2, 3, 4] }, { axis: int(axis) })),
  old(11, 'LogSoftmax', { x: [2, 3, 4] }),
  old(13, 'Softmax', { x: [2, 3, 4] }, { axis: int(1) }),
  old(9, 'Clip', { x: [3, 4] }, { min: float(-0.5), max: float(0.25) }),
  old(9, 'Clip', { x: [3, 4] }, { max: float(0) }),
  old(9, 'Slice', { x: [4, 5] }, { starts: ints(1, -3), ends: ints(3, 100), axes: ints(0, 1) }),
  old(9, 'Slice', { x: [4, 5] }, { starts: ints(1), ends: ints(3) }),
  old(9, 'Pad', { x: [2, 3] }, { pads: ints(1, 0, 0, 2), value: float(0.5) }),
  ...['reflect', 'edge'].map((mode) => old(9, 'Pad', { x: [3, 4] }, { pads: ints(2, 1, 1, 3), mode: text(mode) })),
  { name: 'Pad of set 19 that wraps', opset: 19, inputs: { x: [3, 4] }, build: (b) => b.one('Pad', ['x', b.ints([2, 3]), '', b.ints([1])], { mode: text('wrap') }) },
  old(11, 'Split', { x: [4, 6] }, { axis: int(1), split: ints(1, 5) }, { outputs: 2 }),
  old(13, 'Split', { x: [4, 6] }, { axis: int(1) }, { outputs: 3 }),
  old(9, 'TopK', { x: [2, 5] }, { k: int(2) }, { outputs: 2 }),
  old(9, 'Dropout', { x: [2, 3] }, { ratio: float(0.5) }),
  old(9, 'BatchNormalization', { x: [2, 3, 2], scale: [3], bias: [3], mean: [3], variance: [3] }, { momentum: float(0.5) }, { range: [0.5, 2] }),
  old(9, 'Upsample', image, {}, {}),
  old(18, 'GroupNormalization', { x: [2, 4, 3], scale: [2], bias: [2] }, { num_groups: int(2) }),
  old(13, 'MeanVarianceNormalization', { x: [2, 3, 4, 2] }),
  old(13, 'LpNormalization', { x: [3, 4] }, { axis: int(0) }),
  old(13, 'LpNormalization', { x: [3, 4] }, { p: int(1) }),
  old(13, 'LRN', { x: [1, 7, 2, 2] }, { size: int(5), alpha: float(0.5), beta: float(0.75), bias: float(2) }),
  old(13, 'DepthToSpace', { x: [2, 8, 3, 2] }, { blocksize: int(2) }),
  old(13, 'DepthToSpace', { x: [2, 8, 3, 2] }, { blocksize: int(2), mode: text('CRD') }),
  old(13, 'SpaceToDepth', { x: [2, 3, 4, 6] }, { blocksize: int(2) }),
  old(13, 'GlobalMaxPool', image),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID'].flatMap((mode) => [
    old(13, 'Conv', { ...image, w: [2, 4, 3, 2] }, { auto_pad: text(mode), strides: ints(2, 1) }),
    old(13, 'MaxPool', image, { auto_pad: text(mode), strides: ints(2, 3), kernel_shape: ints(2, 4) }),
    old(13, 'AveragePool', image, { auto_pad: text(mode), strides: ints(1, 2), kernel_shape: ints(4, 3) }),
    old(13, 'ConvTranspose', { x: [1, 2, 3, 4], w: [2, 1, 3, 3] }, { auto_pad: text(mode), strides: ints(2, 2) }),
  ]),
  old(13, 'ConvTranspose', { x: [1, 2, 3, 4], w: [2, 1, 4, 4] }, { output_shape: ints(5, 8), strides: ints(2, 2) }),
  old(13, 'ConvTranspose', { x: [1, 2, 3, 4], w: [2, 1, 3, 3] }, { output_shape: ints(10, 8), strides: ints(3, 2) }), // one row more than the input reaches
  ...['Softsign', 'Selu', 'Celu', 'ThresholdedRelu', 'Mish', 'Tan', 'Sinh', 'Cosh'].map((op) => old(18, op, { x: [3, 4] }, op === 'Celu' ? { alpha: float(0.5) } : op === 'ThresholdedRelu' ? { alpha: float(0.25) } : {})),
  old(13, 'Mean', { a: [2, 3], b: [3], c: [2, 1] }),
  old(13, 'Sum', { a: [2, 3] }),
  old(13, 'Gelu', { x: [3, 4] }, {}, { domain: 'com.microsoft' }),
  old(13, 'FastGelu', { x: [3, 4], bias: [4] }, {}, { domain: 'com.microsoft' }),
  old(13, 'BiasGelu', { x: [3, 4], bias: [4] }, {}, { domain: 'com.microsoft' }),
  old(13, 'QuickGelu', { x: [3, 4] }, { alpha: float(1.5) }, { domain: 'com.microsoft' }),
  old(13, 'SkipLayerNormalization', { x: [1, 3, 4], skip: [1, 3, 4], scale: [4], beta: [4], bias: [4] }, {}, { domain: 'com.microsoft' }),
  old(13, 'SkipSimplifiedLayerNormalization', { x: [1, 3, 4], skip: [1, 3, 4], scale: [4], bias: [4] }, {}, { domain: 'com.microsoft' }),
  old(13, 'FusedMatMul', { a: [2, 3, 4], b: [2, 5, 4] }, { transB: int(1), alpha: float(0.5) }, { domain: 'com.microsoft' }),
  old(13, 'FusedMatMul', { a: [2, 4, 3], b: [2, 4, 5] }, { transA: int(1) }, { domain: 'com.microsoft' }),
  { name: 'constants of every kind', opset: 13, inputs: { x: [3] }, build: (b) => b.one('Add', [b.one('Mul', ['x', b.one('Constant', [], { value_floats: { floats: [1, 2, 3] } })]), b.one('Cast', [b.one('Constant', [], { value_ints: ints(4, 5, 6) })], { to: int(1) })]) },
  { name: 'Upsample of set 7', opset: 7, inputs: image, build: (b) => b.one('Upsample', ['x'], { scales: { floats: [1, 1, 2, 3] } }) },
  { name: 'Resize of set 10', opset: 10, inputs: image, build: (b) => b.one('Resize', ['x', b.floats([1, 1, 1.5, 2])], { mode: text('linear') }) },
  { name: 'a shape computed the long way', opset: 13, inputs: { x: [2, 3, 4] }, build: (b) => b.one('Reshape', ['x', b.one('Concat', [b.one('Unsqueeze', [b.one('Gather', [b.one('Shape', ['x']), b.ints(0)]), b.ints([0])]), b.ints([-1])], { axis: int(0) })]) },
]

function feedsOf({ inputs, range = [-1, 1] }: Old): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(inputs).map(([name, dims], index) => [name, { type: 'float32', dims, data: Float32Array.from(random(index + 5, dims, ...range)) }]))
}

describe('canonical', () => {
  for (const test of spellings) {
    it(`${test.name} keeps its outputs, by operators of the set`, async () => {
      const b = createBuilder({ '': test.opset, 'com.microsoft': 1 })
      for (const [name, shape] of Object.entries(test.inputs)) b.input(name, 'float32', shape)
      const isOldUpsample = test.name.startsWith('Upsample of set 9')
      const built = isOldUpsample ? b.one('Upsample', ['x', b.floats([1, 1, 2, 2])], { mode: text('nearest') }) : test.build(b)
      for (const output of typeof built === 'string' ? [built] : built) b.output(output, output.endsWith('out1') && test.name.startsWith('TopK') ? 'int64' : 'float32', null)
      const graph = b.build('old')
      const written = canonical(graph)
      expect(written.nodes.filter((node) => !isOperator(operatorName(node))).map(({ op }) => op)).toEqual([])
      const [before, after] = [await open(graph), await open(written)]
      const [expected, found] = [await before.run(feedsOf(test)), await after.run(feedsOf(test))]
      expect(Object.keys(found)).toEqual(Object.keys(expected))
      for (const [name, { dims, data }] of Object.entries(expected)) {
        expect(found[name].dims).toEqual(dims)
        found[name].data.forEach((value, index) => expect(value).toBeCloseTo(data[index], 5))
        // The sizes inferred are those that came out.
        expect(inferShapes(written).outputs.find((output) => output.name === name)?.shape).toEqual(dims)
      }
      before.close()
      after.close()
    })
  }

  it('binds sizes given for symbols and for places', async () => {
    const graph = canonical(await readModel(path.join(import.meta.dirname, 'goldens/typed.onnx')), { sizes: { batch: 3 } })
    expect(graph.inputs[0].shape).toEqual([3, 3, 8, 8])
    expect(inferShapes(graph).outputs[0].shape).toEqual([3, 10])
    const placed = canonical(await readModel(path.join(import.meta.dirname, 'goldens/typed.onnx')), { sizes: { 'x.0': 5 } })
    expect(placed.inputs[0].shape).toEqual([5, 3, 8, 8])
  })

  it('keeps names that graphs in attributes read', async () => {
    const graph = await readModel(path.join(import.meta.dirname, 'goldens/branch.onnx'))
    const b = createBuilder({ '': 11 })
    b.input('c', 'bool', [])
    b.input('u', 'float32', [1500])
    for (const value of graph.initializers.values()) b.initializer(value)
    b.node('Dropout', ['u'], {}, { outputs: ['v'] })
    b.node('If', ['c'], graph.nodes[0].attributes, { outputs: ['w'] })
    b.output('w', 'float32', [1500])
    const written = canonical(b.build('captures'))
    expect(written.nodes.map(({ op, outputs }) => [op, ...outputs])).toEqual([['Identity', 'v'], ['If', 'w']])
  })
})
