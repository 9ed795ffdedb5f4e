import { afterAll, describe, expect, it } from 'vitest'
import { silent } from '../../../contract/events.ts'
import { createSessions } from '../../autodiff/stream.ts'
import { memoryPark } from '../../autodiff/park.ts'
import { createBuilder } from '../../graph/builder.ts'
import { goldenModel } from '../golden-model.ts'
import { openHessian } from './operator.ts'
import { topEigenvalues } from './top.ts'
import { hessianTraces } from './trace.ts'
import type { DifferentiableModel } from '../differentiable.ts'
import type { Draws } from '../gradients/draws.ts'

const size = 6

/** L = ½ Σ d·w², whose Hessian is diag(d): w enters as [3, 2] where it is held 'in-out' and as [2, 3] otherwise. */
function diagonal(layout: 'out-in' | 'in-out', times: number): DifferentiableModel {
  const b = createBuilder()
  const dims = layout === 'out-in' ? [2, 3] : [3, 2]
  const inputs = Array.from({ length: times }, (_, index) => b.input(`w${index}`, 'float32', dims))
  const d = b.input('d', 'float32', dims)
  const sum = inputs.reduce((a, c) => b.one('Add', [a, c]))
  const loss = b.one('ReduceSum', [b.one('Mul', [b.floats(0.5), b.one('Mul', [d, b.one('Mul', [sum, sum])])])], { keepdims: { int: 0 } }, { outputs: ['loss'] })
  b.output(loss, 'float32', [])
  const weight = { type: 'float32' as const, dims, data: Float32Array.from({ length: size }, (_, index) => index - 2) }
  return {
    stages: [{
      name: 'stage', graph: b.build('diagonal'), inputs: { d: 'd' }, outputs: { loss: 'loss' }, wrt: inputs,
      load: () => Promise.resolve(Object.fromEntries(inputs.map((name) => [name, weight]))),
    }],
    loss: 'loss', lossText: 'quadratic', predictions: 1, park: memoryPark, session: { threads: 1 },
    samples: [{ d: { type: 'float32', dims, data: Float32Array.of(1, 2, 3, 4, 5, 6) } }],
    layers: [{ name: 'w', shape: [2, 3], places: inputs.map((input) => ({ stage: 'stage', input, layout, dims })) }],
  }
}

describe('trace by random signs', () => {
  for (const layout of ['out-in', 'in-out'] as const) {
    it(`is exact with one probe where the Hessian is diagonal (${layout})`, async () => {
      expect((await hessianTraces(diagonal(layout, 1), { probes: 1, seed: 3 }, silent)).get('w')?.value).toBe(21)
    })
  }

  it('counts both places of a tied weight and what they do together', async () => {
    // L(w, w) = ½ Σ d·(2w)², so the trace is 4 Σ d.
    expect((await hessianTraces(diagonal('out-in', 2), { probes: 1, seed: 3 }, silent)).get('w')?.value).toBe(84)
  })

  for (const { name, layers } of [{ name: 'transformer', layers: 'together' }, { name: 'transformer', layers: 'apart' }, { name: 'resnet', layers: 'apart' }] as const) {
    it(`${name}, layers ${layers}: within three standard errors of the exact trace for every layer, with an error bar that is worth having`, async () => {
      const { model, golden: { expected } } = await goldenModel(name)
      const traces = await hessianTraces(model, { probes: layers === 'apart' ? 48 : 160, seed: 1, layers }, silent)
      expect([...traces.keys()].sort()).toEqual(Object.keys(expected.layers).sort())
      const whole = Object.values(expected.layers).reduce((sum, { trace }) => sum + Math.abs(trace), 0)
      for (const [layer, { trace }] of Object.entries(expected.layers)) {
        const { value, stderr } = traces.get(layer) ?? { value: NaN, stderr: NaN }
        expect(Math.abs(value - trace), `${layer}: found ${value} ± ${stderr}, exact ${trace}`).toBeLessThan(3 * stderr)
        expect(stderr, layer).toBeLessThan(0.05 * whole)
      }
    })
  }

  it('goes on from the draws it has to the same numbers', async () => {
    const { model } = await goldenModel('resnet')
    const saved: Draws[] = []
    const save = (draws: Draws): Promise<void> => Promise.resolve(void saved.push(structuredClone(draws)))
    const whole = await hessianTraces(model, { probes: 20, seed: 9 }, silent, { save })
    expect(saved.map(({ done }) => done)).toEqual([8, 16, 20])
    expect(await hessianTraces(model, { probes: 20, seed: 9 }, silent, { known: saved[0] })).toEqual(whole)
  })
})

describe('largest eigenvalues', () => {
  const sessions = createSessions({ threads: 1 })
  afterAll(() => sessions.dispose())

  for (const name of ['transformer', 'resnet'] as const) {
    it(`${name}: within 1 % of the exact one for every layer`, async () => {
      const { model, golden: { expected } } = await goldenModel(name)
      for (const layer of model.layers) {
        const operator = openHessian(model, [layer], sessions)
        const [value] = await topEigenvalues(operator, { seed: 1, tolerance: 1e-4, steps: 200 }, silent)
        operator.dispose()
        expect(Math.abs(value / expected.layers[layer.name].top[0] - 1), `${layer.name}: found ${value}, exact ${expected.layers[layer.name].top[0]}`).toBeLessThan(0.01)
      }
    })
  }

  it('finds the next ones with the first kept out', async () => {
    const { model, golden: { expected } } = await goldenModel('resnet')
    const layer = model.layers.find(({ name }) => name === 'block2.conv2.weight')
    const operator = openHessian(model, layer && [layer], sessions)
    const found = await topEigenvalues(operator, { count: 3, seed: 2, tolerance: 1e-6, steps: 300 }, silent)
    operator.dispose()
    found.forEach((value, rank) => expect(value / expected.layers['block2.conv2.weight'].top[rank]).toBeCloseTo(1, 2))
  })
})
