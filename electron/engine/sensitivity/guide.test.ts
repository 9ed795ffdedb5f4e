import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silent } from '../../contract/events.ts'
import { createStream } from '../autodiff/stream.ts'
import type { GuidedPlace } from '../calibrate/guidance.ts'
import type { Tap } from '../calibrate/runner.ts'
import { openDecoder, type DecoderModel } from '../session/model.ts'
import { openProgram } from '../session/program.ts'
import { differentiableDecoder } from './differentiable-decoder.ts'
import { openGradients } from './gradients/sample-gradients.ts'
import { guide } from './guide.ts'

// Of two tokens each, so that the gradients at a layer's outputs can be had from those of its weight.
const windows = [Int32Array.of(3, 14), Int32Array.of(27, 5), Int32Array.of(9, 41)]
const seed = 4
let model: DecoderModel // with a head of its own, so that a gradient is of one place
let folder: string
beforeAll(async () => {
  model = await openDecoder(path.join(import.meta.dirname, '../session/goldens/llama'), silent)
  folder = await mkdtemp(path.join(os.tmpdir(), 'halftone-guide-'))
})
afterAll(async () => {
  await model.close()
  await rm(folder, { recursive: true, force: true })
})

/** The rows g of ∂loss/∂W = gᵀx by token, x [2, cols] the layer's inputs: g = ∂loss/∂W·xᵀ(x·xᵀ)⁻¹. Squared norms. */
function squaresByToken(gradient: Float32Array, x: Float32Array): [number, number] {
  const cols = x.length / 2
  const inner = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, at) => sum + value * b[at], 0)
  const [first, second] = [x.subarray(0, cols), x.subarray(cols)]
  const [aa, ab, bb] = [inner(first, first), inner(first, second), inner(second, second)]
  const squares: [number, number] = [0, 0]
  for (let row = 0; row < gradient.length; row += cols) {
    const [a, b] = [inner(gradient.subarray(row, row + cols), first), inner(gradient.subarray(row, row + cols), second)]
    squares[0] += ((bb * a - ab * b) / (aa * bb - ab * ab)) ** 2
    squares[1] += ((aa * b - ab * a) / (aa * bb - ab * ab)) ** 2
  }
  return squares
}

it('weighs a token by the squared gradient at the outputs, found again from the gradient of the weight', async () => {
  const guidance = await guide(model, windows, { seed, folder }, silent)
  const program = openProgram(model, { threads: 1 })
  const inputs = new Map<string, Float32Array>()
  for (const [window, tokens] of windows.entries()) {
    let hidden = await program.embed(tokens)
    for (let block = 0; block < program.blocks; block++) {
      const result = await program.runTapped(block, hidden, await program.weights(block))
      for (const [tap, x] of Object.entries(result.taps)) inputs.set(`blocks.${block}.${tap} ${window}`, x.slice())
      hidden = result.hidden
    }
    inputs.set(`head ${window}`, (await program.finish(hidden)).slice())
  }
  program.dispose()
  const tapOf: Readonly<Record<string, Tap>> = { o: 'o', down: 'down', q: 'qkv', k: 'qkv', v: 'qkv', gate: 'mlp', up: 'mlp' }
  const squares = new Map<string, [number, number]>()
  const gradients = openGradients(differentiableDecoder(model, windows, { loss: 'own-predictions', seed, threads: 1 }))
  await gradients.pass([0, 1, 2], ({ layer, gradient, sample }) => {
    const [, block, part = ''] = layer.name.split('.')
    if (layer.name !== 'head' && tapOf[part] === undefined) return Promise.resolve()
    const key = layer.name === 'head' ? `head ${sample}` : `blocks.${block}.${tapOf[part]} ${sample}`
    const found = squaresByToken(gradient, inputs.get(key) ?? new Float32Array())
    const before = squares.get(key) ?? [0, 0]
    squares.set(key, [before[0] + found[0], before[1] + found[1]])
    return Promise.resolve()
  }, silent.signal)
  gradients.dispose()
  for (const place of ['blocks.0.qkv', 'blocks.0.o', 'blocks.1.mlp', 'blocks.1.down', 'head'] satisfies GuidedPlace[]) {
    const expected = windows.flatMap((_, window) => squares.get(`${place} ${window}`) ?? [])
    const mean = expected.reduce((a, b) => a + b) / expected.length
    const found = windows.flatMap((_, window) => [...guidance.roots(place, window) ?? []])
    expect(found).toHaveLength(6)
    for (const [at, root] of found.entries()) expect(root ** 2, `${place}, token ${at}`).toBeCloseTo(expected[at] / mean, 2)
  }
})

/** Mean over tokens of the squared gradient at the logits. */
async function meanAtLogits(): Promise<number> {
  const { stages, loss, samples } = differentiableDecoder(model, windows, { loss: 'own-predictions', seed, threads: 1 })
  const stream = createStream(stages.map((stage) => ({ ...stage, wrt: stage.name === 'head' ? ['logits'] : [] })), { loss })
  let sum = 0
  await stream.gradient(samples, { take: ({ gradients: { logits } }) => { if (logits) for (const value of logits.data) sum += Number(value) ** 2 } })
  stream.dispose()
  return sum / windows.flatMap((tokens) => [...tokens]).length
}

it('has the second moment of the gradients at what is looked up, found again from moved rows of the table', async () => {
  const { lookups, headMean } = await guide(model, windows, { seed, folder }, silent)
  const { hidden } = model.spec
  /** The loss of every window with a column of every looked-up row moved; as a head the table stays. */
  async function losses(token: number, column: number, step: number): Promise<number[]> {
    const table = (await model.readWeight('embedding')).slice()
    table[token * hidden + column] += step
    const { stages, samples } = differentiableDecoder(model, windows, { loss: 'own-predictions', seed, threads: 1 })
    const moved = stages.map((stage) => (stage.name === 'embedding' ? { ...stage, load: async () => ({ ...(await stage.load()), embedding: { type: 'float32' as const, dims: [model.spec.vocabulary, hidden], data: table } }) } : stage))
    const stream = createStream(moved, { loss: 'loss' })
    const found = await stream.gradient(samples, { take: () => undefined })
    stream.dispose()
    return found
  }
  const step = 1e-2
  const sums = [0, 0, 0]
  for (const [window, tokens] of windows.entries()) for (const token of tokens) {
    const [a, b] = await Promise.all([0, 1].map(async (column) => ((await losses(token, column, step))[window] - (await losses(token, column, -step))[window]) / (2 * step)))
    sums[0] += a * a
    sums[1] += a * b
    sums[2] += b * b
  }
  const { hessian = new Float64Array() } = lookups ?? {}
  expect(headMean / (await meanAtLogits())).toBeCloseTo(1, 3)
  expect(lookups?.tokens).toBe(6)
  for (const [at, value] of [hessian[0], hessian[1], hessian[hidden + 1]].entries()) expect(value / sums[0], `entry ${at}`).toBeCloseTo(sums[at] / sums[0], 1)
})
