import { expect, test } from 'vitest'
import { openGraph } from '../graph/open.ts'
import { createBuilder } from '../graph/builder.ts'
import { viewNode } from '../graph/shapes/rule.ts'
import { patchPlaces, patchWindow, takePatches } from './patches.ts'
import { noise } from './testing.ts'

test.each([
  [{ pads: { ints: [1, 0, 2, 1] }, strides: { ints: [2, 1] }, dilations: { ints: [1, 2] } }, 1],
  [{ group: { int: 2 }, auto_pad: { string: 'SAME_LOWER' }, strides: { ints: [2, 2] } }, 2],
  [{}, 1],
])('patches times the kernel are the convolution (%j)', async (attributes, groups) => {
  const dims = [6, 4 / groups, 3, 2]
  const kernel = noise(dims.reduce((a, b) => a * b, 1), 1)
  const x = noise(2 * 4 * 9 * 7, 2)
  const b = createBuilder({ '': 21 })
  const y = b.one('Conv', [b.input('x', 'float32', [2, 4, 9, 7]), b.initializer({ name: 'w', type: 'float32', dims, data: new Uint8Array(kernel.buffer) })], attributes)
  b.output(y, 'float32', null)
  const graph = b.build('conv')
  const session = await openGraph(graph)
  const result = (await session.run({ x: { type: 'float32', dims: [2, 4, 9, 7], data: x } }, { [y]: null }))[y]
  session.dispose()
  const [batch, out, height, width] = result.dims
  const window = patchWindow(viewNode(graph.nodes[0], 21), 'Conv', dims)
  const own = out / groups
  for (let group = 0; group < groups; group++) {
    const rows = takePatches(x, [2, 4, 9, 7], patchPlaces([2, 4, 9, 7], window, Infinity), group, groups)
    const cols = dims[1] * 6
    expect(rows.length).toBe(batch * height * width * cols)
    for (let place = 0; place < batch * height * width; place++) {
      const [n, at] = [Math.floor(place / (height * width)), place % (height * width)]
      for (let channel = group * own; channel < (group + 1) * own; channel++) {
        let sum = 0
        for (let j = 0; j < cols; j++) sum += rows[place * cols + j] * kernel[channel * cols + j]
        expect(sum).toBeCloseTo(Number(result.data[(n * out + channel) * height * width + at]), 4)
      }
    }
  }
})
