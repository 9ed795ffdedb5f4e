import { describe, expect, it } from 'vitest'
import { createBuilder, type Builder } from '../graph/builder.ts'
import { differentiableOperators, isOperator, operatorName } from '../graph/operators.ts'
import { float32, open, random } from './check/run.ts'
import { openGolden } from './check/goldens.ts'
import { gradientOf, seedOf, vjp } from './vjp.ts'
import { hvp } from './hvp.ts'
import type { Graph } from '../graph/graph.ts'

function graphOf(write: (b: Builder) => string): Graph {
  const b = createBuilder()
  const y = write(b)
  b.output(b.one('Identity', [y], {}, { outputs: ['y'] }), 'float32', null)
  return b.build('test')
}

describe('vjp', () => {
  it('names the operator, the node and what can be done where gradients cannot pass', () => {
    const graph = graphOf((b) => b.one('Relu', [b.one('LSTM', [b.one('MatMul', [b.input('x', 'float32', [2, 3]), b.input('w', 'float32', [3, 3])]), 'r'])]))
    expect(() => vjp(graph, { of: ['y'], wrt: ['w'] })).toThrow(expect.objectContaining({
      code: 'unsupported-operator',
      message: expect.stringMatching(/node 'LSTM' \(LSTM\): gradients cannot pass through LSTM/) as string,
      hint: expect.stringMatching(/Freeze the layers before this node .*cut the model after it: end it at 'MatMul:out'/) as string,
    }))
  })

  it('leaves what is not on the way as it is, whatever the operator', () => {
    const graph = graphOf((b) => b.one('Mul', [b.one('MatMul', [b.one('Unheard', [b.input('x', 'float32', [2, 3])]), b.input('w', 'float32', [3, 3])]), b.floats(2)]))
    const shaped = { ...graph, values: new Map([['Unheard:out', { name: 'Unheard:out', type: 'float32' as const, shape: [2, 3] }]]) }
    const gradient = vjp(shaped, { of: ['y'], wrt: ['w'] })
    expect(gradient.nodes.map(({ op }) => op)).toContain('Unheard')
    expect(() => vjp(shaped, { of: ['y'], wrt: ['x'] })).toThrow(/Unheard/)
  })

  it('computes nothing that is not asked for', () => {
    const graph = graphOf((b) => b.one('MatMul', [b.one('Tanh', [b.one('MatMul', [b.input('x', 'float32', [2, 3]), b.input('w', 'float32', [3, 3])])]), b.input('u', 'float32', [3, 3])]))
    // Of the last weight alone: the forward values before it, and one product.
    expect(vjp(graph, { of: ['y'], wrt: ['u'] }).nodes.map(({ op }) => op)).toEqual(['MatMul', 'Tanh', 'Gemm', 'Identity'])
  })

  it('gives zeros where nothing flows', async () => {
    const graph = graphOf((b) => b.one('Mul', [b.input('x', 'float32', [3]), b.one('Sign', [b.input('w', 'float32', [3])])]))
    const { run, close } = await open(vjp(graph, { of: ['y'], wrt: ['w'] }))
    const result = await run({ x: float32([3], [1, 2, 3]), w: float32([3], [1, -1, 1]), [seedOf('y')]: float32([3], [1, 1, 1]) })
    close()
    expect(result[gradientOf('w')]).toEqual({ dims: [3], data: [0, 0, 0] })
  })

  it('differentiates with respect to inner values', async () => {
    const graph = graphOf((b) => b.one('Exp', [b.one('Mul', [b.input('x', 'float32', [3]), b.floats(2)], {}, { outputs: ['inner'] })]))
    const { run, close } = await open(vjp(graph, { of: ['y'], wrt: ['inner', 'x'], seed: 'ones' }))
    const result = await run({ x: float32([3], [0, 0.5, -1]) })
    close()
    const expected = [0, 0.5, -1].map((x) => Math.exp(2 * x))
    result[gradientOf('inner')].data.forEach((value, index) => expect(value).toBeCloseTo(expected[index], 5))
    result[gradientOf('x')].data.forEach((value, index) => expect(value).toBeCloseTo(2 * expected[index], 5))
  })

  it('gives the gradient of a table as places and rows, beside what flows through other readers', async () => {
    // A tied head: the table is looked up twice and multiplied once.
    const [words, width] = [6, 3]
    const graph = graphOf((b) => {
      const table = b.input('table', 'float32', [words, width])
      const first = b.one('Gather', [table, b.input('ids', 'int64', ['n'])])
      const second = b.one('Gather', [table, b.ints([[5, 0][0], 0])])
      return b.one('Gemm', [b.one('Concat', [b.one('Tanh', [first]), second], { axis: { int: 0 } }), table], { transB: { int: 1 } })
    })
    const feeds = { table: float32([words, width], random(3, [words, width])), ids: { type: 'int64', dims: [3], data: BigInt64Array.of(4n, 1n, 4n) }, [seedOf('y')]: float32([5, words], random(4, [5, words])) } as const
    const [dense, sparse] = [await open(vjp(graph, { of: ['y'], wrt: ['table'] })), await open(vjp(graph, { of: ['y'], wrt: ['table'], sparse: ['table'] }))]
    const [whole, parts] = [await dense.run(feeds), await sparse.run(feeds)]
    dense.close()
    sparse.close()
    const indices = parts[`${gradientOf('table')}:indices`].data
    expect([...indices].sort()).toEqual([0, 1, 4, 4, 5])
    const sum = [...parts[gradientOf('table')].data]
    indices.forEach((place, row) => {
      for (let column = 0; column < width; column++) sum[place * width + column] += parts[`${gradientOf('table')}:rows`].data[row * width + column]
    })
    sum.forEach((value, index) => expect(value).toBeCloseTo(whole[gradientOf('table')].data[index], 5))
  })

  it('refuses names that are not there and names that are taken', () => {
    const graph = graphOf((b) => b.one('Exp', [b.input('x', 'float32', [3])]))
    expect(() => vjp(graph, { of: ['y'], wrt: ['ghost'] })).toThrow(/found no value 'ghost'/)
    expect(() => vjp(graph, { of: ['y'], wrt: ['x'], gradientName: () => 'y' })).toThrow(/found a value 'y' already there/)
  })

  it('emits operators of the set only, also the second time, and no node that computes with weights alone', async () => {
    for (const name of ['transformer', 'resnet', 'mobilenet'] as const) {
      const { graph, parameters } = await openGolden(name)
      const second = hvp(graph, { loss: 'loss', wrt: parameters })
      expect(second.nodes.filter((node) => !isOperator(operatorName(node)) || node.domain !== '').map(({ op }) => op)).toEqual([])
      // Products and transposes of whole weights would all be held at once. (The exporter's own Transpose nodes are there before.)
      const before = new Set(graph.nodes.flatMap(({ outputs }) => outputs))
      const isWeight = (value: string): boolean => (graph.initializers.get(value)?.dims.length ?? 0) > 1
      const added = second.nodes.filter(({ outputs }) => !outputs.some((output) => before.has(output)))
      expect(added.filter(({ inputs }) => inputs.every((input) => input === '' || second.initializers.has(input)) && inputs.some(isWeight)).map(({ op }) => op)).toEqual([])
    }
  })

  it('has every operator asked for', () => {
    const wanted = `Add Sub Mul Div Neg Pow Sqrt Exp Log Tanh Sigmoid Relu LeakyRelu Gelu Erf Clip HardSigmoid HardSwish Softmax LogSoftmax Where Max Min Abs
      MatMul Gemm Einsum Conv ConvTranspose MaxPool AveragePool GlobalAveragePool BatchNormalization LayerNormalization RMSNormalization SimplifiedLayerNormalization
      InstanceNormalization GroupNormalization Reshape Transpose Squeeze Unsqueeze Flatten Concat Split Slice Gather GatherElements Expand Tile Pad ReduceSum ReduceMean
      ReduceMax Cast Identity Dropout Resize CumSum halftone:QMatMul`.split(/\s+/)
    expect(wanted.filter((name) => !(differentiableOperators as readonly string[]).includes(name))).toEqual([])
  })
})
