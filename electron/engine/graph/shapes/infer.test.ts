import { expect, test } from 'vitest'
import { createBuilder, type Attributes } from '../builder.ts'
import { openGraph } from '../open.ts'
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

test.each(old)('the shape that set %i gives %s by its attributes is the one the runtime finds', async (opset, op, attributes, outputs) => {
  const b = createBuilder({ '': opset })
  const dims = [4, 1, 6]
  const made = b.node(op, [b.input('x', 'float32', dims)], attributes, { outputs })
  for (const [index, name] of made.entries()) b.output(name, op === 'TopK' && index === 1 ? 'int64' : 'float32', null)
  const graph = b.build('one')
  const session = await openGraph(graph)
  const found = await session.run({ x: { type: 'float32', dims, data: new Float32Array(24) } }, Object.fromEntries(made.map((name) => [name, null])))
  session.dispose()
  expect(inferShapes(graph).outputs.map(({ shape }) => shape)).toEqual(made.map((name) => found[name].dims))
})
