import { describe, expect, it } from 'vitest'
import { silent } from '../../../contract/events.ts'
import { errorLosses } from '../error-losses.ts'
import { goldenModel } from '../golden-model.ts'
import { fisherRows } from '../terms/fisher-rows.ts'
import { fisher } from '../terms/fisher.ts'
import { taylor } from '../terms/taylor.ts'
import { noDraws, type Draws } from './draws.ts'
import { openGradients } from './sample-gradients.ts'
import { rademacher } from './rademacher.ts'

// g = [[1, −2], [3, 4]], Δ = [[0.5, 1], [−1, 2]]: products 0.5 −2 −3 8.
const g = Float32Array.of(1, -2, 3, 4)
const error = Float32Array.of(0.5, 1, -1, 2)

describe('terms', () => {
  it('are the sums of their definitions', () => {
    expect(fisher.of(g, error, 2, 10)).toBe(5 * (0.25 + 4 + 9 + 64))
    expect(fisherRows.of(g, error, 2, 10)).toBe(5 * ((0.5 - 2) ** 2 + (-3 + 8) ** 2))
    expect(taylor.of(g, error, 2, 10)).toBe(0.5 + 2 + 3 + 8)
  })
})

describe('gradients of samples', () => {
  it('are those of PyTorch, by layer', async () => {
    const { model, golden } = await goldenModel('resnet')
    const gradients = openGradients(model)
    const seen: string[] = []
    await gradients.pass([0], async ({ layer, gradient }) => {
      seen.push(layer.name)
      const expected = await golden.read(`grad.${layer.name}`)
      const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
      expected.forEach((value, index) => expect(Math.abs(gradient[index] - value)).toBeLessThan(2e-5 * scale))
    }, silent.signal)
    gradients.dispose()
    expect(seen.sort()).toEqual(Object.keys(golden.expected.layers).sort())
  })

  it('give the losses of options that PyTorch’s gradients give, with an error over samples', async () => {
    const { model, golden } = await goldenModel('resnet')
    const twice = { ...model, samples: [model.samples[0], model.samples[0]] }
    const errors = new Map(model.layers.map(({ name, shape: [rows, cols] }) => {
      const signs = rademacher(rows * cols, 1)
      return [name, { options: ['small', 'large'], error: (option: string) => Promise.resolve(signs.map((sign) => sign * (option === 'large' ? 0.2 : 0.1))) }]
    }))
    const losses = await errorLosses(twice, fisher, errors, silent)
    const gradient = await golden.read('grad.stem.weight')
    const expected = 0.5 * model.predictions * gradient.reduce((sum, value) => sum + (0.1 * value) ** 2, 0)
    const { small, large } = losses.get('stem.weight') ?? {}
    expect(small.value / expected).toBeCloseTo(1, 4)
    expect(large.value / small.value).toBeCloseTo(4, 4)
    expect(small.stderr).toBeLessThan(1e-6 * small.value) // the same sample twice
  })

  it('go on from the draws they have', async () => {
    const { model } = await goldenModel('resnet')
    const layer = model.layers[0]
    const many = { ...model, layers: [layer], stages: model.stages.map((stage) => ({ ...stage, wrt: [layer.name] })), samples: Array.from({ length: 10 }, () => model.samples[0]) }
    const errors = new Map([[layer.name, { options: ['one'], error: () => Promise.resolve(rademacher(layer.shape[0] * layer.shape[1], 2)) }]])
    const saved: Draws[] = []
    const whole = await errorLosses(many, taylor, errors, silent, { save: (draws) => Promise.resolve(void saved.push(draws)) })
    expect(saved.map(({ done }) => done)).toEqual([8, 10])
    const passes: number[] = []
    expect(await errorLosses(many, taylor, errors, silent, { known: saved[0], save: ({ done }) => Promise.resolve(void passes.push(done)) })).toEqual(whole)
    expect(passes).toEqual([10])
    expect(noDraws.done).toBe(0)
  })
})
