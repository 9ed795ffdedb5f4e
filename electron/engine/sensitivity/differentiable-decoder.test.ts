import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { createStream } from '../autodiff/stream.ts'
import { differentiableDecoder, type DecoderLoss } from './differentiable-decoder.ts'
import { openGradients } from './gradients/sample-gradients.ts'
import { activationTraces } from './hessian/activation-trace.ts'
import { outputWeights } from './output-weights.ts'
import { dot } from './gradients/layout.ts'
import { rademacher } from './gradients/rademacher.ts'

const goldens = path.join(import.meta.dirname, '../session/goldens')
const windows = [Int32Array.of(3, 1, 4, 1, 5, 9, 2, 6), Int32Array.of(2, 7, 1, 8, 2, 8, 1, 8)]

/** The model with one layer's weights moved along a direction. */
function moved(model: DecoderModel, layer: string, direction: Float32Array, step: number): DecoderModel {
  return { ...model, readWeight: async (name) => (name === layer ? (await model.readWeight(name)).map((value, index) => value + step * direction[index]) : model.readWeight(name)) }
}

async function lossesOf(model: DecoderModel, loss: DecoderLoss): Promise<number[]> {
  const { stages, samples } = differentiableDecoder(model, windows, { loss, seed: 5, threads: 1 })
  const stream = createStream(stages, { loss: 'loss' })
  const losses = await stream.gradient(samples, { take: () => undefined })
  stream.dispose()
  return losses
}

// smollm has a tied table and shared key heads; gpt2 learned positions, biases and layer norms.
for (const name of ['smollm', 'gpt2']) describe(`${name} as a differentiable model`, () => {
  let model: DecoderModel
  beforeAll(async () => { model = await openDecoder(path.join(goldens, name), silent) })
  afterAll(() => model.close())

  it('has gradients that predict how the loss moves, at every place of a tied table together', async () => {
    const differentiable = differentiableDecoder(model, windows, { loss: 'next-token', seed: 5, threads: 1 })
    expect(differentiable.layers.map((layer) => layer.name)).toEqual(model.layers.map((layer) => layer.name))
    const found = new Map<string, number>()
    const gradients = openGradients(differentiable)
    await gradients.pass([0, 1], ({ layer, gradient, sample }) => {
      found.set(`${layer.name} ${sample}`, dot(gradient, rademacher(gradient.length, 1)))
      return Promise.resolve()
    }, silent.signal)
    gradients.dispose()
    expect(found.size).toBe(2 * model.layers.length)
    for (const layer of ['embedding', 'blocks.0.q', 'blocks.1.down']) {
      const direction = rademacher((model.layers.find((one) => one.name === layer)?.shape ?? [0, 0]).reduce((a, b) => a * b), 1)
      const step = 2e-3
      const [up, down] = [await lossesOf(moved(model, layer, direction, step), 'next-token'), await lossesOf(moved(model, layer, direction, -step), 'next-token')]
      for (const sample of [0, 1]) {
        const expected = (up[sample] - down[sample]) / (2 * step)
        expect(Math.abs((found.get(`${layer} ${sample}`) ?? NaN) - expected), `${layer}, sample ${sample}`).toBeLessThan(0.02 * Math.max(Math.abs(expected), 0.05))
      }
    }
  })

  it('draws labels from its own predictions: the same with the same seed, likely tokens', async () => {
    const [own, again] = [await lossesOf(model, 'own-predictions'), await lossesOf(model, 'own-predictions')]
    expect(own).toEqual(again)
    for (const loss of own) expect(loss).toBeGreaterThan(0)
  })

  it('gives weights for the outputs of products and the columns of the looked-up table, and traces for every block input', async () => {
    const differentiable = differentiableDecoder(model, windows, { loss: 'own-predictions', seed: 5, threads: 1 })
    const weights = await outputWeights(differentiable, silent)
    for (const { name: layer, shape: [rows, cols] } of model.layers) {
      const { rows: outputs, columns } = weights.get(layer) ?? { rows: null, columns: null }
      if (layer === 'embedding') expect(columns?.length).toBe(cols)
      if (layer !== 'embedding' || model.spec.tied) expect(outputs?.length).toBe(rows)
      expect((outputs ?? columns)?.every((value) => value >= 0)).toBe(true)
    }
    const traces = await activationTraces(differentiable, { probes: 2, seed: 1 }, silent)
    expect(traces.map((trace) => trace.name)).toEqual(Array.from({ length: model.spec.blocks + 1 }, (_, index) => `states.${index}`))
    expect(traces.every(({ value, elements }) => Number.isFinite(value) && elements === 8 * model.spec.hidden)).toBe(true)
  })
})
