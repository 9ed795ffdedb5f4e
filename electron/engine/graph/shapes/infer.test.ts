import { expect, test } from 'vitest'
import { createBuilder, type Attributes } from '../builder.ts'
import { canonical } from '../canonical.ts'
import { openGraph } from '../open.ts'
import type { Graph } from '../graph.ts'
import { inferShapes } from './infer.ts'

const ints = (...values: number[]): { ints: number[] } => ({ ints: values })

/** Operators whose axes, sizes and ranges were attributes before they became inputs: set, operator, attributes, outputs. */
const old: readonly (readonly [opset: number, op: string, attributes: Attributes, outputs: number])[] = [
  [13, 'ReduceMean', { axes: ints(-1), keepdims: { int: 0 } }, 1],
  [12, 'ReduceSum', { axes: ints(0, 2) }, 1],
  [12, 'Squeeze', { axes: ints(1) }, 1],
  [12, 'Unsqueeze', { axes: ints(0, -1) }, 1],
  [12, 'Split', { axis: { int: 2 }, split: ints(1, 3, 2) }, 3],
  [9, 'Slice', { axes: ints(0, 2), starts: ints(1, -4), ends: ints(3, 9) }, 1],
  [9, 'Pad', { pads: ints(0, 1, 2, 0, 0, 3) }, 1],
  [9, 'TopK', { k: { int: 4 } }, 2],
]

/** The shapes of the outputs as the runtime finds them, beside the inferred ones. */
async function checkShapes(graph: Graph, dims: readonly number[]): Promise<void> {
  const names = graph.outputs.map(({ name }) => name)
  const session = await openGraph(graph)
  const found = await session.run({ x: { type: 'float32', dims, data: new Float32Array(dims.reduce((count, size) => count * size, 1)) } }, Object.fromEntries(names.map((name) => [name, null])))
  session.dispose()
  expect(inferShapes(graph).outputs.map(({ shape }) => shape)).toEqual(names.map((name) => found[name].dims))
}

test.each(old)('the shape that set %i gives %s by its attributes is the one the runtime finds', async (opset, op, attributes, outputs) => {
  const b = createBuilder({ '': opset })
  const dims = [4, 1, 6]
  const made = b.node(op, [b.input('x', 'float32', dims)], attributes, { outputs })
  for (const [index, name] of made.entries()) b.output(name, op === 'TopK' && index === 1 ? 'int64' : 'float32', null)
  await checkShapes(b.build('one'), dims)
})

test('pads that PyTorch writes last axis first, turned by a table of pairs, are numbers', async () => {
  const b = createBuilder({ '': 16 })
  const dims = [2, 3, 8]
  const x = b.input('x', 'float32', dims)
  const zeros = b.one('ConstantOfShape', [b.ints([4])], { value: { tensor: { name: '', type: 'int64', dims: [1], data: new Uint8Array(8) } } })
  const pairs = b.one('Reshape', [b.one('Concat', [b.ints([2, 5]), zeros], { axis: { int: 0 } }), b.ints([-1, 2])])
  const turned = b.one('Transpose', [b.one('Slice', [pairs, b.ints([-1]), b.ints([-9007199254740991]), b.ints([0]), b.ints([-1])])], { perm: ints(1, 0) })
  b.output(b.one('Pad', [x, b.one('Reshape', [turned, b.ints([-1])])], { mode: { string: 'reflect' } }), 'float32', null)
  const graph = b.build('reflect')
  await checkShapes(graph, dims)
  expect(inferShapes(graph).outputs[0].shape).toEqual([2, 3, 15])
  expect(canonical(graph).nodes.map(({ op }) => op)).not.toContain('Pad') // known places are gathered, which has a derivative
})

test('parts of a Split whose sizes are computed are not taken to be equal', () => {
  const b = createBuilder({ '': 18 })
  for (const part of b.node('Split', [b.input('x', 'float32', [6, 2]), b.input('sizes', 'int64', [2])], {}, { outputs: 2 })) b.output(part, 'float32', null)
  expect(inferShapes(b.build('split')).outputs.map(({ shape }) => shape?.map((size) => typeof size))).toEqual([['string', 'number'], ['string', 'number']])
})
