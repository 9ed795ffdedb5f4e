import path from 'node:path'
import { expect, test } from 'vitest'
import { silent } from '../../contract/events.ts'
import { createBuilder, type Builder } from '../graph/builder.ts'
import { writeModel } from '../graph/write.ts'
import { widened } from '../graph/widen.ts'
import { toHalves } from '../io/float.ts'
import { withFolder } from '../io/temporary-folder.ts'
import { createSessions, createStream } from '../autodiff/stream.ts'
import { differentiableGraph } from './differentiable-graph.ts'
import { openGraphModel } from './open.ts'
import { halfCnn, noise, weight } from './testing.ts'

type Model = Awaited<ReturnType<typeof differentiableGraph>>

/** x [n, 32] through two products; `write` makes the outputs. */
async function differentiable(write: (b: Builder, first: string, second: string) => void): Promise<Model> {
  return withFolder(async (folder) => {
    const b = createBuilder({ '': 21 })
    const x = b.input('x', 'float32', ['n', 32])
    write(b, b.one('MatMul', [x, weight(b, 'first', [32, 32], 1)]), b.one('MatMul', [x, weight(b, 'second', [32, 32], 2)]))
    const file = path.join(folder, 'model.onnx')
    await writeModel(b.build('two heads'), file)
    const samples = [3, 4].map((seed) => ({ feeds: { x: { type: 'float32' as const, dims: [1, 32], data: noise(32, seed) } }, labels: null }))
    return differentiableGraph(await openGraphModel(file), samples, { loss: undefined, seed: 1, signal: silent.signal })
  })
}

/** Loss of the first sample. */
async function lossOf({ stages, loss, park, session, samples }: Model): Promise<number> {
  const sessions = createSessions(session)
  const stream = createStream(stages, { loss, park, sessions })
  const [value] = await stream.gradient(samples.slice(0, 1), { signal: silent.signal, take: () => undefined })
  stream.dispose()
  sessions.dispose()
  return value
}

test('every output counts, and alike: a hundred times larger numbers do not weigh more', async () => {
  const one = await differentiable((b, first, second) => {
    b.output(b.one('Tanh', [first]), 'float32', ['n', 32])
    b.output(b.one('Mul', [second, b.floats(100)]), 'float32', ['n', 32])
  })
  expect(one.layers.map(({ name }) => name)).toEqual(['first', 'second'])
  expect(one.unmoved).toEqual([])
  expect(one.lossText).toMatch(/^squared error of '[^']*', '[^']*' to themselves with normal noise of their own sizes/)
  // Each is the mean square of normal noise over the output's own mean square, about 1.
  const loss = await lossOf(one)
  expect(loss).toBeGreaterThan(1)
  expect(loss).toBeLessThan(4)
})

test('a layer that no differentiable output depends on is named; a model without any other is refused', async () => {
  const partly = await differentiable((b, first, second) => {
    b.output(b.one('Tanh', [first]), 'float32', ['n', 32])
    b.output(b.one('ArgMax', [second], { axis: { int: 1 } }), 'int64', null)
  })
  expect(partly.unmoved).toEqual(['second'])
  await expect(differentiable((b, first) => {
    b.output(b.one('Cast', [b.one('Cast', [first], { to: { int: 7 } })], { to: { int: 1 } }), 'float32', null)
  })).rejects.toMatchObject({ code: 'bad-request', message: expect.stringMatching(/no layer whose weights move '.*' smoothly/) as string })
})

test('an operator without a derivative on the way is named with its node and what can be done; beside the way it does no harm', async () => {
  await expect(differentiable((b, first) => {
    b.output(b.one('Det', [first]), 'float32', null)
  })).rejects.toMatchObject({ code: 'unsupported-operator', message: expect.stringMatching(/gradients cannot pass through Det/) as string, hint: expect.stringMatching(/cut the model after it/) as string })
  const beside = await differentiable((b, first, second) => {
    b.output(b.one('Tanh', [first]), 'float32', ['n', 32])
    b.output(b.one('NonZero', [second]), 'int64', null)
  })
  expect(beside.unmoved).toEqual(['second'])
})

test('a graph in 16 bits has the gradients of the same in 32', async () => withFolder(async (folder) => {
  const half = await halfCnn(17)
  const wide = await widened(half)
  const found: Float32Array[] = []
  for (const [index, graph] of [half, wide].entries()) {
    const file = path.join(folder, `${index}.onnx`)
    await writeModel(graph, file)
    const values = noise(192, 5).map((value) => Math.round(value * 64) / 64) // whole in both
    const image = index === 0 ? { type: 'float16' as const, dims: [1, 3, 8, 8], data: new Uint16Array((await toHalves(values)).buffer) } : { type: 'float32' as const, dims: [1, 3, 8, 8], data: values }
    const model = await differentiableGraph(await openGraphModel(file), [{ feeds: { image }, labels: null }], { loss: undefined, seed: 1, signal: silent.signal })
    expect(model.layers.map(({ name }) => name)).toEqual(['first', 'up', 'wide'])
    const sessions = createSessions(model.session)
    const stream = createStream(model.stages, { loss: model.loss, park: model.park, sessions })
    await stream.gradient(model.samples, { signal: silent.signal, take: ({ gradients }) => { for (const { data } of Object.values(gradients)) if (data instanceof Float32Array) found.push(data) } })
    stream.dispose()
    sessions.dispose()
  }
  expect(found).toHaveLength(6)
  const size = (values: Float32Array): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))
  // The outputs that the targets are drawn around are those of 16 bits in the one and of 32 in the other.
  for (let at = 0; at < 3; at++) expect(size(found[at].map((value, index) => value - found[at + 3][index])) / size(found[at + 3])).toBeLessThan(0.01)
}))
