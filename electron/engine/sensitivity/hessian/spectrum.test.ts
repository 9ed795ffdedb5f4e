import { expect, it } from 'vitest'
import { silent } from '../../../contract/events.ts'
import { goldenModel } from '../golden-model.ts'
import { densityOf, densityPicture } from './density.ts'
import { lanczos } from './lanczos.ts'
import { openHessian, type HessianOperator } from './operator.ts'

/** diag(values) on one layer. */
function diagonal(values: readonly number[]): HessianOperator {
  return {
    layers: [{ name: 'w', shape: [1, values.length], places: [] }],
    apply: (vector) => Promise.resolve(new Map([['w', Float32Array.from(vector.get('w') ?? [], (value, index) => value * values[index])]])),
    dispose: () => undefined,
  }
}

it('finds every eigenvalue of a small matrix, each with its share of the start', async () => {
  const { nodes, weights } = await lanczos(diagonal([3, 1, -2, 1]), { steps: 10, seed: 1 }, silent)
  expect(nodes.map((node) => Math.round(node * 1e4) / 1e4)).toEqual([3, 1, -2]) // a double eigenvalue is one node
  weights.forEach((weight, index) => expect(weight).toBeCloseTo([0.25, 0.5, 0.25][index], 5))
})

it('has a density that integrates to one, and a picture with round numbers and zero on its axis', () => {
  const density = densityOf([{ nodes: [0, 2], weights: [0.75, 0.25] }, { nodes: [1], weights: [1] }])
  const step = density.eigenvalues[1] - density.eigenvalues[0]
  expect(density.density.reduce((sum, value) => sum + value, 0) * step).toBeCloseTo(1, 2)
  expect(densityPicture(density, 'title', 'a < b')).toMatch(/^<svg [^>]+>[^]*title[^]*a {2}b[^]*>0<[^]*>0.5<[^]*>1<[^]*>1.5<[^]*>2<[^]*<polyline points="[\d., ]+"[^]*<\/svg>$/)
})

it('ends at the largest eigenvalue of a layer that PyTorch found, and its mean at trace / n', async () => {
  const { model, golden: { expected } } = await goldenModel('resnet')
  const layer = model.layers.filter(({ name }) => name === 'block2.conv2.weight')
  const operator = openHessian(model, layer)
  const quadratures = await Promise.all([1, 2, 3, 4].map((seed) => lanczos(operator, { steps: 12, seed }, silent)))
  operator.dispose()
  const { top, trace, shape } = expected.layers['block2.conv2.weight']
  for (const { nodes } of quadratures) expect(nodes[0] / top[0]).toBeCloseTo(1, 2)
  const mean = quadratures.reduce((sum, { nodes, weights }) => sum + nodes.reduce((part, node, index) => part + node * weights[index], 0), 0) / quadratures.length
  const elements = shape.reduce((a, b) => a * b, 1)
  expect(Math.abs(mean - trace / elements)).toBeLessThan(4 * top[0] / elements) // four draws of vᵀHv / n: its deviation is below twice the top eigenvalue
})
